"""Messages about predictions and targets."""

from typing import Any

from symback.errors.kinds import DtypeError, ShapeError
from symback.errors.words import show, show_shape


def target_shape(operation: str, prediction: Any, target: Any) -> ShapeError:
    """A target that would broadcast the loss to a larger shape than the prediction has."""
    return ShapeError(
        f"{operation}: the target {show(target)} does not go with {show(prediction)}; give it the shape "
        f"{show_shape(prediction.shape)} (x[:, None] and x[:, 0] add and remove an axis)"
    )


def label_shape(operation: str, logits: Any, target: Any, axis: int, labels: Any) -> ShapeError:
    """A target that is neither a probability for each class nor a label for each example."""
    return ShapeError(
        f"{operation}: the target {show(target)} does not go with the logits {show(logits)}, whose classes lie along "
        f"axis {axis}; give probabilities of shape {show_shape(logits.shape)} or integer labels of shape "
        f"{show_shape(labels)}"
    )


def label_dtype(operation: str, target: Any) -> DtypeError:
    """Class labels that are no integers."""
    return DtypeError(
        f"{operation}: class labels are integers, but {show(target)} has dtype {target.dtype}; make it a tensor of "
        "dtype int64, or give a probability for each class"
    )
