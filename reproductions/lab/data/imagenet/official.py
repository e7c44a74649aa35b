"""Names and sizes of ILSVRC-2012's files: Russakovsky et al. 2015, Table 2, and the readme of the devkit."""

from __future__ import annotations

TRAIN_TAR = "ILSVRC2012_img_train.tar"
VALIDATION_TAR = "ILSVRC2012_img_val.tar"
DEVKIT = "ILSVRC2012_devkit_t12"

CLASSES = 1_000
TRAIN_IMAGES = 1_281_167
TRAIN_PER_CLASS = (732, 1_300)
VALIDATION_IMAGES = 50_000
VALIDATION_PER_CLASS = 50

DOWNLOAD = (
    f"register at https://image-net.org/download-images and download {TRAIN_TAR} (138 GB), "
    f"{VALIDATION_TAR} (6.3 GB) and {DEVKIT}.tar.gz (2.5 MB)"
)
