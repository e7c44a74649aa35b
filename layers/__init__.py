"""What the papers invented and Keras does not ship, on `keras.ops` alone."""

from layers.lenet import (
    FanInUniform,
    MaximumAPosteriori,
    MeanPenalty,
    PartiallyConnectedConv2D,
    RBFOutput,
    TrainableSubsampling2D,
    scaled_tanh,
)

__all__ = [
    "FanInUniform",
    "MaximumAPosteriori",
    "MeanPenalty",
    "PartiallyConnectedConv2D",
    "RBFOutput",
    "TrainableSubsampling2D",
    "scaled_tanh",
]
