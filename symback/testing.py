"""For tests: a gradient that must be right, with a message that says where it is not and how to see it again."""

from collections.abc import Callable
from typing import Any

import numpy as np

from symback.check.gradient import check_grad
from symback.check.reports.gradient_report import GradientReport
from symback.errors.kinds import GradientMismatchError, UndecidedError

_SHOWN = 50
"""Arrays of more entries are shown in part."""


def assert_gradient(
    loss: Any = None, wrt: Any = None, at: Any = None, *, fun: Callable[..., Any] | None = None, grad: Any = None,
    seed: int = 0, **options: Any,
) -> GradientReport:  # fmt: skip
    """Raise an AssertionError unless a gradient is right: `check_grad` for tests, with the same arguments.

    A gradient that could not be judged raises too, in words of its own. The message has the table of all variables,
    the worst entries with both values, the first bad node, and the call that shows the same again.

    Args:
        loss: A scalar node or SymPy expression, with `wrt`, what it is differentiated by.
        wrt: A node or SymPy symbol, or a list or dict of them.
        at: Values by node or name; what is missing is drawn. With `fun`, an array, or a list or dict of arguments.
        fun: A plain function, instead of `loss`.
        grad: The function that claims to be its gradient; True if `fun` returns value and gradient.
        seed: Of the random points and directions.
        **options: What else `check_grad` takes: ``gradient=``, ``methods=``, ``order=``, ... .

    Returns:
        The report, which has passed.

    Raises:
        GradientMismatchError: If the gradient is wrong. It is an AssertionError.
        UndecidedError: If no method could tell with the accuracy asked for. It is an AssertionError.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", (3,))
        >>> sb.testing.assert_gradient(sb.sum(sb.tanh(x) ** 2), x).passed
        True
    """
    __tracebackhide__ = True
    report = check_grad(loss, wrt, at=at, fun=fun, grad=grad, seed=seed, **options)
    try:
        report.raise_if_failed()
    except (GradientMismatchError, UndecidedError) as error:
        parts = [str(error), str(report), _again(fun, at, seed, options)]
        raise type(error)("\n\n".join(parts)) from None
    return report


def _again(fun: Any, at: Any, seed: int, options: dict[str, Any]) -> str:
    """Say which call shows the same again, and the point if one was given."""
    first = "loss, wrt" if fun is None else "fun=..., grad=..."
    words = [first, "" if at is None else "at=at", f"seed={seed}"]
    words += [f"{name}={value!r}" if _is_plain(value) else f"{name}=..." for name, value in options.items()]
    call = f"to see it again: sb.check_grad({', '.join(word for word in words if word)})"
    if at is None:
        return f"{call}, which draws the same point"
    with np.printoptions(threshold=_SHOWN, floatmode="unique"):
        return f"{call}\nat = {at!r}"


def _is_plain(value: Any) -> bool:
    """Whether an option is written in a few words."""
    return isinstance(value, (str, int, float, list, tuple)) and len(repr(value)) <= 60
