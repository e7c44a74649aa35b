"""Layers, losses, initializers and an optimizer of the papers that Keras does not ship; they use `keras.ops` only."""

from layers.activations import scaled_tanh
from layers.grouped import GroupedConv2D
from layers.inception import InceptionBN, InceptionV1, NaiveInception
from layers.inception_block import conv_bn_relu
from layers.inception_factorized import (
    GridReduction,
    InceptionFigure5,
    InceptionFigure6,
    InceptionFigure7,
    InceptionV4A,
    InceptionV4B,
    InceptionV4C,
)
from layers.inception_residual import InceptionResidual
from layers.initializers import FanInUniform
from layers.lecun1989 import ConstantPadding2D, UnitBias
from layers.lenet import PartiallyConnectedConv2D, RBFOutput, TrainableSubsampling2D
from layers.local import LocallyConnected2D
from layers.losses import MaximumAPosteriori, MeanPenalty
from layers.lrn import CAFFE_CONSTANTS, LocalResponseNormalization
from layers.sdlm import StochasticDiagonalLevenbergMarquardt

__all__ = [
    "CAFFE_CONSTANTS",
    "ConstantPadding2D",
    "FanInUniform",
    "GridReduction",
    "GroupedConv2D",
    "InceptionBN",
    "InceptionFigure5",
    "InceptionFigure6",
    "InceptionFigure7",
    "InceptionResidual",
    "InceptionV1",
    "InceptionV4A",
    "InceptionV4B",
    "InceptionV4C",
    "LocalResponseNormalization",
    "LocallyConnected2D",
    "MaximumAPosteriori",
    "MeanPenalty",
    "NaiveInception",
    "PartiallyConnectedConv2D",
    "RBFOutput",
    "StochasticDiagonalLevenbergMarquardt",
    "TrainableSubsampling2D",
    "UnitBias",
    "conv_bn_relu",
    "scaled_tanh",
]
