"""Messages about graphs for one example that are to become graphs for many."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import InputError, UsageError
from symback.errors.words import show


def batch_no_mapping(given: object) -> InputError:
    """Batched variables that are not given with a size, or none at all."""
    shown = "an empty one" if given == {} else f"{type(given).__name__} ({str(given)[:40]!r})"
    return InputError(
        f"batch: the second argument maps each variable that differs from example to example to the number of "
        f"examples, such as {{'x': 'N', 'y': 'N'}}; it is {shown}"
    )


def batch_no_variable(key: object, known: Sequence[str]) -> InputError:
    """A key that names nothing in the graph."""
    names = f"it has {', '.join(known)}" if known else "it has none"
    return InputError(
        f"batch: {str(key)[:40]!r} is no variable of this graph; {names}. A derivative may no longer depend on all "
        "that its function does; if so, leave the key out"
    )


def batch_of_computed(node: Any) -> InputError:
    """A key that is computed from other nodes."""
    return InputError(
        f"batch: {show(node)} is no variable but computed from others; batch those, or put a variable in its place "
        "first: expr.subs(node, sb.tensor(...))"
    )


def batch_size(key: object, value: object, variables: Sequence[str]) -> InputError:
    """A number of examples that is no size."""
    if isinstance(value, str) and value in variables:
        reason = f"{value!r} is a variable of this graph"
    else:
        reason = f"{str(value)[:40]!r} is none"
    return InputError(
        f"batch: the number of examples of {key} must be an integer from 0 or the name of a size, such as 'N'; {reason}"
    )


def batch_two_sizes(one: object, first: object, other: object, second: object) -> InputError:
    """Two variables with different numbers of examples."""
    return InputError(
        f"batch: {one} has {first} examples and {other} has {second}; examples are taken side by side, so their number "
        f"is one. For each of {first} with each of {second}, call batch twice: "
        f"sb.batch(sb.batch(expr, {{{str(other)!r}: {str(second)!r}}}), {{{str(one)!r}: {str(first)!r}}})"
    )


def no_batch_rule(primitive: str, node: Any) -> UsageError:
    """A primitive without a batch rule whose operands differ from example to example."""
    return UsageError(
        f"batch: {primitive} (in {show(node)}) has no batch rule; declare it with sb.primitive(..., batch='leading') "
        "if it takes leading axes in all operands, 'broadcast' if they broadcast, or a function of (node, operands)"
    )
