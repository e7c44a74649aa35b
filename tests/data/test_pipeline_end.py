"""Python ends although a pipeline is still reading images."""

import subprocess
import sys

# A read in progress sleeps, so that it certainly needs Python's lock after Python has begun to end.
ENDS_WHILE_READING = """
import time
from dataclasses import replace
import numpy as np
import reproductions
from reproductions.lab.data import pipeline
from reproductions.lab.data.transforms.registry import TransformContext
from tests.helpers import photographs

class Slow:
    labels, file = np.arange(4), photographs.encode(photographs.noise(40, 50))
    def read(self, index):
        time.sleep(0.05)
        return self.file

recipe = replace(reproductions.find_network("inception-v3").to_train(), batch_size=2, epochs=1000)
start = pipeline.DataPosition(seed=1, epoch=1)
batches = iter(pipeline.training_batches(Slow(), recipe, TransformContext(32), start))
next(batches)
# Garbage that refers to itself, as frames of an error may be, which Python only takes down when it ends.
loop = [batches]
loop.append(loop)
del loop, batches
print("ends")
"""


def test_python_ends_while_a_pipeline_reads():
    done = subprocess.run(
        [sys.executable, "-c", ENDS_WHILE_READING], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "ends\n"
