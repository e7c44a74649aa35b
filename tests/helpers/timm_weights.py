"""Weights and outputs of timm's networks; test_torch_presets.py runs this in a separate process.

Torch crashes when it is imported after TensorFlow.
"""

import functools
import sys
from pathlib import Path

import numpy as np
import timm
import torch
from safetensors.torch import save_file


def main(folder: Path, name: str) -> None:
    """Read `images.npy` (batch, height, width, channels); write `weights.safetensors` and `outputs.npy`.

    Average pooling leaves padding out, as in the released Inception-v3; timm's counts it.
    """
    torch.nn.functional.avg_pool2d = functools.partial(torch.nn.functional.avg_pool2d, count_include_pad=False)
    torch.manual_seed(0)
    images = torch.from_numpy(np.load(folder / "images.npy").transpose(0, 3, 1, 2).copy())
    model = timm.create_model(name, pretrained=False).eval()
    for unit in model.modules():
        if isinstance(unit, torch.nn.BatchNorm2d):
            for values in (unit.weight, unit.bias, unit.running_mean, unit.running_var):
                torch.nn.init.uniform_(values, 0.5, 1.5)
            unit.weight.data[::7] *= -1  # no gamma of our networks could replace it
    save_file(model.state_dict(), folder / "weights.safetensors")
    with torch.no_grad():
        np.save(folder / "outputs.npy", model(images).numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
