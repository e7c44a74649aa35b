"""The presets, in modules by publisher, each with `PRESETS`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec.provenance import Provenance
from reproductions.lab.weights.preset import Preset, PublisherFigure


def all_presets() -> list[Preset]:
    """Return all presets, by module and in their order there."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [preset for name in names for preset in importlib.import_module(f"{__name__}.{name}").PRESETS]


def of(networks: Sequence[str]) -> list[Preset]:
    """Return the presets of some networks, which have one architecture.

    Raises:
        UsageError: If there are none.
    """
    found = [preset for preset in all_presets() if preset.network in networks]
    if not found:
        known = sorted({preset.network for preset in all_presets()})
        raise UsageError(f"no published weights of {networks[0]} are known; there are some of {', '.join(known)}")
    return found


def figures(provenance: Provenance) -> tuple[PublisherFigure, ...]:
    """Return what the publisher of imported weights says about their error; nothing if the preset is not known."""
    found = [
        preset for preset in all_presets() if (preset.network, preset.name) == (provenance.network, provenance.preset)
    ]
    return found[0].figures if found else ()


def find(network: str, name: str | None = None, relatives: Sequence[str] = ()) -> Preset:
    """Return a preset of a network.

    Args:
        network: Name of the network.
        name: Name of the preset; may be left out if there is only one.
        relatives: Networks of the same architecture, whose presets are considered if the network has no such preset.

    Raises:
        UsageError: If there is none of this name, or several.
    """
    found = of([network, *relatives])
    own = [preset for preset in found if preset.network == network]
    for candidates in (own, found):
        named = [preset for preset in candidates if name in (None, preset.name)]
        if len(named) == 1:
            return named[0]
        if named:
            names = ", ".join(preset.name for preset in named)
            raise UsageError(f"several published files fit {network}: name one of them with --preset: {names}")
    raise unknown(f"preset of {network}", str(name), [preset.name for preset in found])
