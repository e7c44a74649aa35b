"""The presets, in modules by publisher, each with `PRESETS`."""

from __future__ import annotations

import importlib
import pkgutil

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.weights.preset import Preset


def all_presets() -> list[Preset]:
    """Return all presets, by module and in their order there."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [preset for name in names for preset in importlib.import_module(f"{__name__}.{name}").PRESETS]


def find(network: str, name: str | None = None) -> Preset:
    """Return a preset of a network.

    Args:
        network: Name of the network.
        name: Name of the preset; may be left out if the network has one only.

    Raises:
        UsageError: If there is none of this name, or none or several of the network.
    """
    found = {preset.name: preset for preset in all_presets() if preset.network == network}
    if name in found:
        return found[name]
    if name is not None and found:
        raise unknown(f"preset of {network}", name, found)
    if not found:
        known = sorted({preset.network for preset in all_presets()})
        raise UsageError(f"no published weights of {network} are known; there are some of {', '.join(known)}")
    if len(found) > 1:
        raise UsageError(f"name the preset of {network} with --preset: {', '.join(found)}")
    return next(iter(found.values()))
