"""LeNet-5's own layers, losses and starting weights: LeCun et al. 1998, sections II-B, II-C, appendix A."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

register = keras.saving.register_keras_serializable(package="layers")


@register
def scaled_tanh(x: Any) -> Any:
    """f(a) = 1.7159 tanh(2a/3), Eq. 6: f(1) = 1 and f(-1) = -1. Any shape in, the same out."""
    return 1.7159 * ops.tanh(x * (2 / 3))


@register
class FanInUniform(keras.initializers.RandomUniform):
    """Uniform between -bound/F and +bound/F, F the fan-in: appendix A, whose bound is 2.4.

    The fan-in is the product of all dimensions but the last, as in Keras' own kernels.
    Raises ValueError for a bound that is not positive.
    """

    def __init__(self, bound: float = 2.4, seed: Any = None) -> None:
        if bound <= 0:
            raise ValueError(f"bound must be positive; got {bound}")
        super().__init__(minval=-bound, maxval=bound, seed=seed)
        self.bound = bound

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return super().__call__(shape, dtype=dtype) / math.prod(shape[:-1])

    def get_config(self) -> dict[str, Any]:
        return {"bound": self.bound, "seed": super().get_config()["seed"]}


def pair(value: int | Sequence[int], name: str) -> tuple[int, int]:
    """A height and a width from one number or two; ValueError unless both are positive integers."""
    try:
        height, width = (operator.index(size) for size in (value if isinstance(value, Sequence) else (value, value)))
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise ValueError(f"{name} must be a positive integer or two of them; got {value!r}")
    return height, width


@register
class TrainableSubsampling2D(keras.layers.Layer):
    """S2 and S4 of section II-B: activation(coefficient * (sum of a window) + bias), both per map.

    Shapes: (batch, height, width, maps) to (batch, height // h, width // w, maps) for windows of
    `pool_size` (h, w) that do not overlap; rows and columns beyond the last whole window are dropped.
    The coefficient starts as one weight of a unit with h * w inputs.
    Raises ValueError for a pool size that is not positive, or larger than the input.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        activation: Any = None,
        coefficient_initializer: Any = "layers>FanInUniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.pool_size = pair(pool_size, "pool_size")
        self.activation = keras.activations.get(activation)
        self.coefficient_initializer = keras.initializers.get(coefficient_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        maps = input_shape[-1]
        self.compute_output_shape(input_shape)

        def one_of_a_window(shape: Sequence[int], dtype: Any = None) -> Any:
            return self.coefficient_initializer((*self.pool_size, *shape), dtype=dtype)[0, 0]

        self.coefficient = self.add_weight(shape=(maps,), initializer=one_of_a_window, name="coefficient")
        self.bias = self.add_weight(shape=(maps,), initializer=self.bias_initializer, name="bias")

    @property
    def connections_per_place(self) -> int:
        """Connections into one place of all maps: the inputs of a window and a bias, for each map."""
        return int(self.bias.shape[0]) * (math.prod(self.pool_size) + 1)

    def call(self, inputs: Any) -> Any:
        mean = ops.average_pool(inputs, self.pool_size, self.pool_size, data_format="channels_last")
        return self.activation(mean * (self.coefficient * math.prod(self.pool_size)) + self.bias)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        batch, *image, maps = input_shape
        if any(size is not None and size < window for size, window in zip(image, self.pool_size)):
            raise ValueError(f"a window of {self.pool_size} does not fit an input of {tuple(image)}")
        height, width = (None if size is None else size // window for size, window in zip(image, self.pool_size))
        return batch, height, width, maps

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "activation": keras.activations.serialize(self.activation),
            "coefficient_initializer": keras.initializers.serialize(self.coefficient_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


@register
class PartiallyConnectedConv2D(keras.layers.Layer):
    """A convolution whose every output map sees its own choice of input maps: C3 and Table I.

    `connections` names, for each output map, the input maps it sees. Shapes: (batch, height, width,
    input maps) to (batch, height', width', len(connections)); stride 1, no padding. Parameters: a
    kernel of (h, w) for each connection and a bias for each output map; every map starts by its own fan-in.
    Raises ValueError for a table that is empty, repeats itself or names a map the input has not, and
    for a kernel larger than the input.
    """

    def __init__(
        self,
        connections: Sequence[Sequence[int]],
        kernel_size: int | Sequence[int],
        activation: Any = None,
        kernel_initializer: Any = "layers>FanInUniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.connections = tuple(tuple(maps) for maps in connections)
        for row, maps in enumerate(self.connections):
            whole = all(isinstance(source, int) and source >= 0 for source in maps)
            if not maps or not whole or len(set(maps)) != len(maps):
                raise ValueError(
                    f"connections[{row}] must name different input maps from 0 up, at least one; got {maps}"
                )
        if not self.connections:
            raise ValueError("connections must have a row for each output map; got none")
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    @property
    def filters(self) -> int:
        return len(self.connections)

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)
        kernels = itertools.count()
        numbers = {(source, row): next(kernels) for row, sources in enumerate(self.connections) for source in sources}
        # The number of each pair's kernel; one past the last where a pair is not connected.
        self.places = [
            [numbers.get((source, row), len(numbers)) for row in range(self.filters)]
            for source in range(input_shape[-1] or 0)
        ]
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, len(numbers)), initializer=self.starting_kernels, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer=self.bias_initializer, name="bias")

    def starting_kernels(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Map j starts as column j of an ordinary kernel with the fan-in of map j."""
        wide = {
            fan: self.kernel_initializer((*self.kernel_size, fan, self.filters), dtype=dtype)
            for fan in {len(sources) for sources in self.connections}
        }
        return ops.concatenate([wide[len(s)][..., row] for row, s in enumerate(self.connections)], axis=-1)

    def dense_kernel(self) -> Any:
        """The kernels as an ordinary one, (h, w, input maps, output maps), zero where nothing is connected."""
        kernel = ops.convert_to_tensor(self.kernel)
        count = kernel.shape[-1]
        # A product with zeros and ones costs less than to gather, and far less than to scatter the gradient.
        chosen = ops.one_hot(self.places, count + 1, dtype=kernel.dtype)[..., :count]
        return ops.tensordot(kernel, chosen, axes=[[2], [2]])

    def call(self, inputs: Any) -> Any:
        outputs = ops.conv(inputs, self.dense_kernel(), padding="valid", data_format="channels_last")
        return self.activation(outputs + self.bias)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        batch, *image, maps = input_shape
        highest = max(max(sources) for sources in self.connections)
        if maps is None or highest >= maps:
            raise ValueError(f"connections name input map {highest}, but the input has {maps} maps, from 0")
        if any(size is not None and size < kernel for size, kernel in zip(image, self.kernel_size)):
            raise ValueError(f"a kernel of {self.kernel_size} does not fit an input of {tuple(image)}")
        height, width = (None if size is None else size - kernel + 1 for size, kernel in zip(image, self.kernel_size))
        return batch, height, width, self.filters

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "connections": self.connections,
            "kernel_size": self.kernel_size,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


@register
class RBFOutput(keras.layers.Layer):
    """Penalties y_i = sum_j (x_j - w_ij)^2, Eq. 7: squared distances to fixed centres.

    Shapes: (batch, features) to (batch, classes), the class of the smallest penalty being the answer.
    `centres` (classes, features) are parameters that are not trained.
    Raises ValueError for centres that are no table of numbers, or an input of another width.
    """

    def __init__(self, centres: Sequence[Sequence[float]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        try:
            self.centres = tuple(tuple(float(value) for value in row) for row in centres)
        except TypeError:
            raise ValueError(f"centres must be rows of numbers; got {centres!r}") from None
        if not self.centres or not self.centres[0] or len({len(row) for row in self.centres}) != 1:
            raise ValueError(f"centres must be rows of equal length; got lengths {[len(row) for row in self.centres]}")

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)
        self.kernel = self.add_weight(
            shape=(len(self.centres), len(self.centres[0])),
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(self.centres, dtype=dtype),
            trainable=False,
            name="centres",
        )

    def call(self, inputs: Any) -> Any:
        return ops.sum(ops.square(ops.expand_dims(inputs, 1) - self.kernel), axis=-1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        if len(input_shape) != 2 or input_shape[1] != len(self.centres[0]):
            raise ValueError(
                f"inputs must be (batch, {len(self.centres[0])}), the width of the centres; got {tuple(input_shape)}"
            )
        return input_shape[0], len(self.centres)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "centres": self.centres}


def of_the_right_class(labels: Any, penalties: Any) -> Any:
    """The penalty of each pattern's own class: labels (batch,), penalties (batch, classes) to (batch,)."""
    labels = ops.reshape(ops.cast(labels, "int32"), (-1, 1))
    return ops.squeeze(ops.take_along_axis(penalties, labels, axis=-1), axis=-1)


@register
class MeanPenalty(keras.losses.Loss):
    """Eq. 8: the penalty of the right class, averaged over the patterns.

    Labels (batch,) integers, penalties (batch, classes) from `RBFOutput`.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return of_the_right_class(y_true, y_pred)


@register
class MaximumAPosteriori(keras.losses.Loss):
    """Eq. 9: y_right + log(e^-j + sum_i e^-y_i), averaged; wrong classes are pushed away too.

    Labels (batch,) integers, penalties (batch, classes) from `RBFOutput`. `rubbish` is the j of the
    paper, the penalty of the class "none of them": penalties far above it are pushed no further.
    Raises ValueError unless j is positive.
    """

    def __init__(self, rubbish: float = 1.0, **kwargs: Any) -> None:
        if rubbish <= 0:
            raise ValueError(f"rubbish (the paper's j) must be positive; got {rubbish}")
        super().__init__(**kwargs)
        self.rubbish = rubbish

    def call(self, y_true: Any, y_pred: Any) -> Any:
        none_of_them = ops.full_like(y_pred[..., :1], -self.rubbish)
        evidence = ops.logsumexp(ops.concatenate([none_of_them, -y_pred], axis=-1), axis=-1)
        return of_the_right_class(y_true, y_pred) + evidence

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rubbish": self.rubbish}
