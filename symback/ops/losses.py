"""Loss functions: of a prediction and a target, or of logits, which are logarithms of odds or of probabilities.

Those of logits are stable by construction. Each has ``reduction="mean"``, ``"sum"`` or ``"none"``.
"""

from typing import Any

from symback import errors
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import normalize_axis
from symback.op.declare import Function, elementwise
from symback.op.public import public
from symback.ops.elementwise.arithmetic import multiply, negative, subtract
from symback.ops.elementwise.exponential import sigmoid
from symback.ops.elementwise.kinks import absolute, clip, relu
from symback.ops.elementwise.logic import REAL, astype
from symback.ops.elementwise.powers import square
from symback.ops.numerics import special as numerics
from symback.ops.reductions.softmax import logsumexp
from symback.ops.reductions.sums import mean, sum
from symback.ops.special.entropy import rel_entr

__all__ = ["binary_cross_entropy", "cross_entropy", "hinge", "huber", "kl_divergence", "mean_squared_error"]

Axis = int | tuple[int, ...] | None


def _logistic_latex(operands: Any, parameters: Any) -> str:
    logit, target = operands
    beside = r" \cdot " if logit.factor[:1].isdigit() else " "
    sign = r" \odot " if logit.shape or target.shape else beside
    return rf"\left(\log\left(1 + e^{{{logit}}}\right) - {target.factor}{sign}{logit.factor}\right)"


logistic_loss: Function = elementwise(
    "logistic_loss", derivative=lambda y, z, t: (subtract(sigmoid(z), t), negative(z)), numpy=numerics.logistic_loss,
    mpmath=lambda mp, z, t: mp.log1p(mp.exp(-abs(z))) + abs(z) * (1 - t if z > 0 else t),
    latex=_logistic_latex,
    domain=(*REAL, (0.1, 0.9)), namespace=None, doc="log(1 + exp(z)) - t z: binary cross-entropy of the logit z.",
)  # fmt: skip
logistic_residual: Function = elementwise(
    "logistic_residual", derivative=lambda y, z, t: (METHODS["sigmoid_slope"](z), as_node(-1)),
    numpy=numerics.logistic_residual, mpmath=lambda mp, z, t: 1 / (1 + mp.exp(-z)) - t,
    latex=r"\left(\sigma\left({0}\right) - {1}\right)", domain=(*REAL, (0.1, 0.9)), namespace=None,
    doc="sigmoid(z) - t, the derivative of the logistic loss, with all digits where t is 0 or 1.",
)  # fmt: skip


def _huber_digits(mp: Any, delta: Any, r: Any) -> Any:
    if delta < 0:
        return mp.inf
    return r * r / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2)


huber_penalty: Function = elementwise(
    "huber_penalty",
    derivative=lambda y, delta, r: (relu(subtract(absolute(r), delta)), clip(r, negative(delta), delta)),
    numpy=numerics.huber,
    mpmath=_huber_digits,
    latex=r"\operatorname{{huber}}_{{{0}}}\left({1}\right)",
    domain=((1.0, 2.0), (0.2, 1.0)),
    namespace=None,
    doc="r**2 / 2 where |r| <= delta, delta (|r| - delta / 2) elsewhere (Huber, 1964).",
)


def _reduced(operation: str, values: Node, reduction: str, axis: Axis = None) -> Node:
    """Average, add up or leave the losses of single entries."""
    if reduction not in ("mean", "sum", "none"):
        raise errors.bad_option(operation, "reduction", reduction, ("mean", "sum", "none"))
    if reduction == "none":
        return values
    return mean(values, axis) if reduction == "mean" else sum(values, axis)


def _pair(operation: str, prediction: Any, target: Any) -> tuple[Node, Node]:
    """Return both as nodes; the target must not broadcast the prediction."""
    prediction, target = as_node(prediction), as_node(target)
    extra = len(prediction.shape) - len(target.shape)
    pairs = zip(target.shape, prediction.shape[extra:], strict=True) if extra >= 0 else ()
    if extra < 0 or not all(size in (1, wanted) for size, wanted in pairs):
        raise errors.target_shape(operation, prediction, target)
    return prediction, target


def _like(target: Node, prediction: Node) -> Node:
    """Bring labels that are integers to the dtype of the prediction."""
    return target if target.dtype.kind == "f" or prediction.dtype.kind != "f" else astype(target, prediction.dtype)


def _both(low: float, high: float) -> Any:
    """Return calls with a target between bounds, and each keyword."""
    return (
        lambda f, make: f(make("p", (2, 3)), make("t", (2, 3), low=low, high=high)),
        lambda f, make: f(make("p", (2, 3)), make("t", (2, 3), low=low, high=high), reduction="sum", axis=0),
        lambda f, make: f(make("p", (1, 3)), make("t", (3,), low=low, high=high), reduction="none"),
        lambda f, make: f(make("p", (2, 3)), make("t", (2, 3), low=low, high=high), axis=(0, -1)),
    )


@public("mean_squared_error", examples=_both(-2, 2))
def mean_squared_error(prediction: Any, target: Any, *, reduction: str = "mean", axis: Axis = None) -> Node:
    """Mean of the squared differences of prediction and target.

    Args:
        prediction: Any shape.
        target: The same shape, or one that broadcasts to it.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each entry.
        axis: The axes that are reduced; None for all of them.

    Raises:
        ShapeError: If the target does not broadcast to the shape of the prediction.
        InputError: If the reduction is not known.

    Example:
        >>> import symback as sb
        >>> sb.mean_squared_error(sb.tensor("f", ("N",)), sb.tensor("y", ("N",))).shape
        ()
    """
    prediction, target = _pair("mean_squared_error", prediction, target)
    return _reduced("mean_squared_error", square(subtract(prediction, target)), reduction, axis)


@public(
    "binary_cross_entropy",
    examples=(
        *_both(0, 1), lambda f, make: f(make("z", (2, 3)), make("k", (2, 3), dtype="int64", low=0, high=2)),
    ),
)  # fmt: skip
def binary_cross_entropy(logits: Any, target: Any, *, reduction: str = "mean", axis: Axis = None) -> Node:
    """Cross-entropy of a logistic regression, -t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z)), from its logits z.

    Computed as log(1 + exp(z)) - t z without overflow; its gradient is sigmoid(z) - t.

    Args:
        logits: Any shape.
        target: Labels 0 and 1, or probabilities, of the same shape or one that broadcasts to it.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each entry.
        axis: The axes that are reduced; None for all of them.

    Raises:
        ShapeError: If the target does not broadcast to the shape of the logits.
        InputError: If the reduction is not known.

    Example:
        >>> import symback as sb
        >>> sb.binary_cross_entropy(sb.tensor("z", ("N",)), sb.tensor("y", ("N",))).shape
        ()
    """
    logits, target = _pair("binary_cross_entropy", logits, target)
    return _reduced("binary_cross_entropy", logistic_loss(logits, _like(target, logits)), reduction, axis)


@public("hinge", examples=_both(0.2, 0.4), kinks="derivative 0 where target * prediction is 1")
def hinge(prediction: Any, target: Any, *, reduction: str = "mean", axis: Axis = None) -> Node:
    """Hinge loss of a support vector machine, max(0, 1 - target * prediction).

    Args:
        prediction: Any shape.
        target: Labels -1 and 1, of the same shape or one that broadcasts to it.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each entry.
        axis: The axes that are reduced; None for all of them.

    Raises:
        ShapeError: If the target does not broadcast to the shape of the prediction.
        DtypeError: If the target is boolean.
        InputError: If the reduction is not known.

    Example:
        >>> import symback as sb
        >>> sb.hinge(sb.tensor("f", ("N",)), sb.tensor("y", ("N",))).shape
        ()
    """
    prediction, target = _pair("hinge", prediction, target)
    if target.dtype.kind == "b":
        raise errors.operand_dtype("hinge", target, "-1 or 1 (2 * target - 1 makes them of 0 and 1)")
    return _reduced("hinge", relu(subtract(1, multiply(_like(target, prediction), prediction))), reduction, axis)


@public(
    "huber",
    examples=(*_both(-2, 2), lambda f, make: f(make("p", (2, 3)), make("t", (2, 3)), 0.5)),
    kinks="the derivative is continuous; second derivative 1/2 where |prediction - target| is delta",
)
def huber(prediction: Any, target: Any, delta: Any = 1.0, *, reduction: str = "mean", axis: Axis = None) -> Node:
    """Huber's loss: half of the squared difference up to delta, a line beyond (Huber, 1964).

    Args:
        prediction: Any shape.
        target: The same shape, or one that broadcasts to it.
        delta: Where the parabola goes over into the line: positive, and no larger in shape.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each entry.
        axis: The axes that are reduced; None for all of them.

    Raises:
        ShapeError: If the target does not broadcast to the shape of the prediction.
        InputError: If the reduction is not known.

    Example:
        >>> import symback as sb
        >>> sb.huber(sb.tensor("f", ("N",)), sb.tensor("y", ("N",)), 0.5).shape
        ()
    """
    prediction, target = _pair("huber", prediction, target)
    return _reduced("huber", huber_penalty(delta, subtract(prediction, target)), reduction, axis)


@public(
    "cross_entropy",
    examples=(
        lambda f, make: f(make("z", (2, 3)), make("p", (2, 3), low=0.1, high=1)),
        lambda f, make: f(make("z", (2, 3, 1)), make("p", (2, 3, 1), low=0.1, high=1), axis=1, reduction="none"),
        lambda f, make: f(make("z", (2, 3)), make("k", (2,), dtype="int64", low=0, high=3)),
        lambda f, make: f(make("z", (3, 2)), make("k", (2,), dtype="int64", low=0, high=3), axis=0, reduction="sum"),
        lambda f, make: f(make("z", (3,)), make("k", (), dtype="int64", low=0, high=3)),
    ),
    kinks="the probabilities of a target add up to 1",
)
def cross_entropy(logits: Any, target: Any, axis: int = -1, *, reduction: str = "mean") -> Node:
    """Cross-entropy of softmax(logits) and a target, from the logits z: logsumexp(z) - sum(target * z).

    Its gradient is softmax(z) - target.

    Args:
        logits: Any shape with an axis of classes.
        target: Probabilities (or a one-hot code) of the same shape, which add up to 1 along the axis of classes; or
            class labels of the shape without that axis: integers counted from 0, or from the end if negative, as
            indices are; one beyond the classes is an error at the call.
        axis: The axis of the classes.
        reduction: Over all examples: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each example.

    Raises:
        ShapeError: If the shape of the target is neither, or the axis does not exist.
        DtypeError: If labels are no integers.
        InputError: If the reduction is not known.

    Example:
        >>> import symback as sb
        >>> Z, y = sb.tensor("Z", ("N", 10)), sb.tensor("y", ("N",), dtype="int64")
        >>> sb.cross_entropy(Z, y).shape
        ()
    """
    logits, target = as_node(logits), as_node(target)
    place = normalize_axis("cross_entropy", logits, axis)
    labels = logits.shape[:place] + logits.shape[place + 1 :]
    if target.shape == logits.shape:
        score = sum(multiply(_like(target, logits), logits), place)
    elif target.shape != labels:
        raise errors.label_shape("cross_entropy", logits, target, axis, labels)
    elif target.dtype.kind not in "iu":
        raise errors.label_dtype("cross_entropy", target)
    else:
        code = METHODS["one_hot"](target, logits.shape[place], axis=place, dtype=logits.dtype)
        score = sum(multiply(code, logits), place)
    return _reduced("cross_entropy", subtract(logsumexp(logits, place), score), reduction)


@public(
    "kl_divergence",
    examples=(
        lambda f, make: f(make("p", (2, 3), low=0.1, high=1), make("q", (2, 3), low=0.1, high=1)),
        lambda f, make: f(make("p", (2, 3), low=0.1, high=1), make("q", (2, 3), low=0.1, high=1), 0, reduction="sum"),
        lambda f, make: f(make("p", (1, 3), low=0.1, high=1), make("q", (3,), low=0.1, high=1), reduction="none"),
    ),
    defined=r"$p \geq 0$, $q > 0$ or $p = q = 0$",
    kinks="where p is 0 its slope is -inf, and that of q is 0; inf where only q is 0",
)
def kl_divergence(p: Any, q: Any, axis: int = -1, *, reduction: str = "mean") -> Node:
    """Kullback-Leibler divergence of probabilities: the sum of p log(p / q) along an axis.

    Args:
        p: Probabilities that add up to 1 along the axis; where p is 0 the term is 0.
        q: Probabilities of the same shape, or of one that broadcasts to it.
        axis: The axis along which they add up to 1.
        reduction: Over all pairs of distributions: ``"mean"``, ``"sum"``, or ``"none"`` for each of them.

    Raises:
        ShapeError: If q does not broadcast to the shape of p, or the axis does not exist.
        InputError: If the reduction is not known.

    Example:
        >>> import symback as sb
        >>> sb.kl_divergence(sb.tensor("p", ("N", 3)), sb.tensor("q", ("N", 3))).shape
        ()
    """
    p, q = _pair("kl_divergence", p, q)
    return _reduced("kl_divergence", sum(rel_entr(p, q), axis), reduction)
