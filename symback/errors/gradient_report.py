"""Messages about a gradient that is wrong, or that could not be judged."""

import math
from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import GradientMismatchError, UndecidedError, UsageError
from symback.errors.words import show_number, show_shape


def mismatch(row: Any, bad_node: Any, kinks: Sequence[Any]) -> GradientMismatchError:
    """A gradient that differs from its reference by more than the reference may be wrong."""
    text = f"check_grad: the gradient by {row.name} {show_shape(row.shape)} is wrong"
    if row.worst:
        worst = row.worst[0]
        gradient, reference = show_number(worst.gradient, worst.reference)
        text += f" at {worst.place}: it is {gradient}, {row.method} differences give {reference} "
        text += f"(tolerance {worst.uncertainty:.1e})"
    if hint := ratio_hint(row.worst):
        text += f"; {hint}"
    if row.note:
        text += f"; {row.note}"
    if bad_node is not None:
        text += f"; the first bad node is {bad_node.name}"
        text += f": look at the derivative of {bad_node.consumer}" if bad_node.consumer else ""
    else:
        text += "; look at the derivative rules between it and the loss"
    if kinks:
        text += f"; the point is at or near a kink of {kinks[0].operation} at {kinks[0].name}"
    return GradientMismatchError(text)


def ratio_hint(worst: Sequence[Any]) -> str:
    """Say what the worst entries have in common: a sign, a factor, a term that is missing; empty if nothing."""
    pairs = [(entry.gradient, entry.reference) for entry in worst]
    if not pairs or not all(math.isfinite(value) for pair in pairs for value in pair):
        return ""
    if all(gradient == 0 for gradient, _ in pairs) and any(reference != 0 for _, reference in pairs):
        return "it is 0 where it should not be: a term is missing"
    if any(reference == 0 for _, reference in pairs):
        return ""
    ratios = [gradient / reference for gradient, reference in pairs]
    if max(ratios) - min(ratios) > 1e-9 * abs(ratios[0]) or abs(ratios[0] - 1) < 1e-12:
        return ""
    if abs(ratios[0] + 1) < 1e-9:
        return "its sign is wrong"
    return f"it is {ratios[0]:.9g} times what it should be" if len(ratios) > 1 else ""


def undecided(rows: Sequence[Any], unjudged: Sequence[str]) -> UndecidedError:
    """A gradient that the methods could not judge with the accuracy that was asked for."""
    if not rows:
        names = ", ".join(unjudged)
        return UndecidedError(f"check_grad: no method that was asked for applies to {names or 'any variable'}; "
                              'leave out methods=..., or ask for "five-point"')  # fmt: skip
    row = rows[0]
    why = f" ({row.note})" if row.note else ""
    return UndecidedError(
        f"check_grad: the gradient by {row.name} {show_shape(row.shape)} could not be judged: {row.method} sees errors "
        f'from {row.sees:.0e} of the largest derivative on{why}; ask for methods="mpmath" if the loss is a graph, '
        "for another point by at=..., or give float64 values"
    )


def no_matplotlib() -> UsageError:
    """A plot without matplotlib."""
    return UsageError("GradientReport.plot needs matplotlib, which is not installed; pip install 'symback[plot]'")
