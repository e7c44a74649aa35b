"""Losses of networks that return penalties, the smallest of which wins: LeCun et al. 1998, section II-C."""

from __future__ import annotations

import keras
from keras import ops

register = keras.saving.register_keras_serializable(package="layers")


@register
class MeanPenalty(keras.losses.Loss):
    """Penalty of the correct class, averaged over the batch: Eq. 8.

    Labels are integers (batch,), penalties (batch, classes), as returned by `RBFOutput`.
    """

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Return one loss per image, (batch,)."""
        return correct_class_penalty(y_true, y_pred)


@register
class MaximumAPosteriori(keras.losses.Loss):
    """Maximum a posteriori criterion, which also pushes incorrect classes away: Eq. 9.

    The loss of an image with penalties y and the correct class d is `y[d] + log(exp(-j) + sum(exp(-y)))`. Labels are
    integers (batch,), penalties (batch, classes), as returned by `RBFOutput`.

    Args:
        rubbish: The constant j, the penalty of the rubbish class "none of the digits". Penalties far above it are not
            pushed further.
        **kwargs: Arguments of `keras.losses.Loss`.

    Raises:
        ValueError: If `rubbish` is not positive.
    """

    def __init__(self, rubbish: float = 1.0, **kwargs: object) -> None:
        if rubbish <= 0:
            raise ValueError(f"rubbish, the constant j of Eq. 9, must be positive; got {rubbish}")
        super().__init__(**kwargs)
        self.rubbish = rubbish

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Return one loss per image, (batch,)."""
        rubbish_logit = ops.full_like(y_pred[..., :1], -self.rubbish)
        log_evidence = ops.logsumexp(ops.concatenate([rubbish_logit, -y_pred], axis=-1), axis=-1)
        return correct_class_penalty(y_true, y_pred) + log_evidence

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "rubbish": self.rubbish}


def correct_class_penalty(labels: keras.KerasTensor, penalties: keras.KerasTensor) -> keras.KerasTensor:
    """Return the penalty of each image's own class, (batch,), from labels (batch,) and penalties (batch, classes)."""
    indices = ops.reshape(ops.cast(labels, "int32"), (-1, 1))
    return ops.squeeze(ops.take_along_axis(penalties, indices, axis=-1), axis=-1)
