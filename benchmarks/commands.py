"""Time of commands that compute tables and pages relative to the time in which Python imports TensorFlow.

    python benchmarks/commands.py

Processor time of processes of their own, in turn. `claims --recompute` answers every question about each network from
one model of it; `list` and `report` import neither Keras nor TensorFlow. Of what `claims --recompute` takes beyond the
import, nine tenths are Keras' building of 19 networks, and two thirds of that the creation of 1,226 variables without
values. Keras' StatelessScope makes these at once, but leaves them in a list whose members it initializes later.
"""

from __future__ import annotations

import os
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from timing import Claim, child_seconds

ROUNDS = 5
AIMS = {
    ("list",): None,
    ("table", "vgg", "--recompute"): None,
    ("claims", "--recompute"): 1.7,  # 8 s where the import takes 4.7 s
    ("report", "--out"): None,
}

NOTES = {
    (
        "claims",
        "--recompute",
    ): "Keras builds each of 19 networks once: nine tenths of what is not the import."
}


def main() -> None:
    """Record the ratios."""
    ratios: dict[tuple[str, ...], list[float]] = {command: [] for command in AIMS}
    for _ in range(ROUNDS):
        imports = child_seconds([sys.executable, "-c", "import tensorflow"])
        for command, found in ratios.items():
            with tempfile.TemporaryDirectory() as folder:
                pages = [folder] if command[-1] == "--out" else []
                found.append(child_seconds([sys.executable, "-m", "reproductions", *command, *pages]) / imports)
    for command, found in ratios.items():
        words = " ".join(command).removesuffix(" --out")
        what = f"Processor time of reproduce {words}"
        note = NOTES.get(command, "")
        Claim(f"Command {words}", what, "import tensorflow", aim=AIMS[command], note=note).record(found)


if __name__ == "__main__":
    main()
