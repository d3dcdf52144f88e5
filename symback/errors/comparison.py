"""Messages of `compare`: each names the column that it speaks of."""

from collections.abc import Iterable, Sequence
from typing import Any

from symback.errors.kinds import DtypeError, GradientMismatchError, InputError, ShapeError, UndecidedError, UsageError
from symback.errors.words import show_number, show_shape


def no_columns(against: object) -> UsageError:
    """Nothing to compare with, or not by name."""
    return UsageError(
        f"compare: against=... is {type(against).__name__}; give a dict with at least one column, from its name to "
        'gradients or a function that returns them: against={"jax": jax.grad(loss)}'
    )


def column_name(name: object) -> UsageError:
    """A name of a column that is no text, or taken."""
    return UsageError(f"compare: {name!r} cannot be the name of a column: use a text other than 'symback'")


def column_arguments(column: str, wanted: Sequence[str], known: Sequence[str], wrt: Sequence[str]) -> UsageError:
    """A function whose parameters are neither names of variables nor as many as there are."""
    return UsageError(
        f"compare: the function of {column!r} takes ({', '.join(wanted)}); name its parameters after the variables "
        f"({', '.join(known)}), or take all of them in this order, or only what is differentiated by ({', '.join(wrt)})"
    )


def column_count(column: str, names: Sequence[str], found: int) -> InputError:
    """Too few or too many gradients."""
    return InputError(
        f"compare: {column!r} gives {found} gradients, {len(names)} are wanted: one by each of {', '.join(names)}"
    )


def column_missing(column: str, name: str, found: Iterable[object]) -> InputError:
    """A dict of gradients without one of the variables."""
    return InputError(f"compare: {column!r} has no gradient by {name}; it has {', '.join(map(str, found))}")


def column_extra(column: str, extra: Iterable[object], names: Sequence[str]) -> InputError:
    """A dict of gradients by variables that were not asked for."""
    return InputError(
        f"compare: {column!r} has gradients by {', '.join(map(str, extra))}, which were not asked for; "
        f"wrt is {', '.join(names)}"
    )


def column_shape(column: str, name: str, wanted: Iterable[object], found: Iterable[object]) -> ShapeError:
    """A gradient that does not have the shape of its variable."""
    return ShapeError(
        f"compare: the gradient by {name} of {column!r} has shape {show_shape(found)}, wanted {show_shape(wanted)}"
    )


def column_dtype(column: str, name: str, found: object) -> DtypeError:
    """A gradient that is no array of real numbers."""
    return DtypeError(
        f"compare: the gradient by {name} of {column!r} is of {found}; return an array of real numbers, or what "
        "numpy.asarray makes one of"
    )


def compared_wrong(name: str, wrong: Sequence[str], right: Sequence[str], worst: Any, columns: Sequence[str]) -> Any:
    """Columns that disagree with the reference."""
    text = f"compare: the gradient by {name} is wrong in {', '.join(map(repr, wrong))}"
    if worst is not None:
        values = show_number(*worst.values, worst.reference)
        shown = ", ".join(f"{column} {value}" for column, value in zip(columns, values, strict=False))
        text += f"; at {worst.place}: {shown}, and the reference {values[-1]}"
    return GradientMismatchError(f"{text}; right: {', '.join(right) if right else 'none of them'}")


def compared_undecided(name: str, columns: Sequence[str], sees: float) -> UndecidedError:
    """Columns that could not be judged."""
    return UndecidedError(
        f"compare: the gradient by {name} could not be judged in {', '.join(map(repr, columns))}: errors are seen from "
        f"{sees:.0e} of the largest derivative on; compare at another point by at=..., or with float64 values"
    )
