"""Outputs of timm's Inception-v4; test_inception.py runs this in a separate process.

Torch crashes when it is imported after TensorFlow.
"""

import sys
from pathlib import Path

import numpy as np
import timm
import torch


def copy(values: np.ndarray, target: torch.Tensor) -> None:
    """Copy an array to a tensor of the same shape."""
    assert values.shape == tuple(target.shape)
    target.data = torch.from_numpy(values.copy())


def main(folder: Path) -> None:
    """Read `weights.npz`, the network's weights in Keras' layout and order, and images; write `outputs.npz`."""
    saved = np.load(folder / "weights.npz")
    weights = iter([saved[f"weight{number}"] for number in range(len(saved.files) - 1)])
    model = timm.create_model("inception_v4", pretrained=False, num_classes=10).eval()
    for unit in model.modules():
        if hasattr(unit, "conv") and hasattr(unit, "bn"):
            copy(next(weights).transpose(3, 2, 0, 1), unit.conv.weight)
            for target in (unit.bn.bias, unit.bn.running_mean, unit.bn.running_var):
                copy(next(weights), target)
    copy(next(weights).T, model.last_linear.weight)
    copy(next(weights), model.last_linear.bias)
    assert next(weights, None) is None
    with torch.no_grad():
        outputs = model(torch.from_numpy(saved["images"].transpose(0, 3, 1, 2).copy())).numpy()
    parameters = sum(each.numel() for each in model.parameters())
    np.savez(folder / "outputs.npz", outputs=outputs, parameters=parameters)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
