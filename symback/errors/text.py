"""Messages about formulas in text: each says what is wrong, where, and what to write instead."""

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from symback.errors.kinds import InputError, SymbackError, UsageError
from symback.errors.words import show_shape

_WIDTH = 100
"""How much of a line is shown."""


class Place(NamedTuple):
    """A stretch of one line of a text, counted in characters.

    Attributes:
        line: The line, from 1.
        start: The first character, from 0.
        end: The character behind the last one.
        text: The whole line.
    """

    line: int
    start: int
    end: int
    text: str

    def shown(self) -> str:
        """Return the line, cut to a width, with carets under the stretch."""
        first = max(0, min(self.start - _WIDTH // 3, len(self.text) - _WIDTH)) if len(self.text) > _WIDTH else 0
        cut = "".join(sign if sign.isprintable() else " " for sign in self.text[first : first + _WIDTH])
        start = max(0, min(self.start - first, len(cut)))
        wide = max(1, min(self.end - self.start, len(cut) - start))
        return f"    {cut}\n    {' ' * start}{'^' * wide}"


def _placed(reason: str, place: Place) -> str:
    return f"formula, line {place.line}, column {place.start + 1}: {reason}\n{place.shown()}"


def refused(reason: str, place: Place) -> InputError:
    """A formula that does not say what it may say."""
    return InputError(_placed(reason, place))


def failed(error: BaseException, place: Place) -> SymbackError:
    """A call that Python itself refuses, such as one with too many arguments."""
    return UsageError(_placed(str(error) or type(error).__name__, place))


def located(error: SymbackError, place: Place) -> SymbackError:
    """Return an error of the same class that also says where in the formula it arose."""
    return type(error)(_placed(str(error), place))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question about the nearest known name; empty if none is near."""
    near = _nearest(name, known)
    return f"; did you mean {near!r}?" if near else ""


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the name in a folder (``linalg.norm`` for ``norm``), else the one that is spelt most alike."""
    names = [*known]
    inside = [full for full in names if "." in full and full.rpartition(".")[2] == name.rpartition(".")[2]]
    return next(iter(inside or get_close_matches(name, names, n=1, cutoff=0.6)), "")


def no_text(value: object) -> InputError:
    """Something else in place of a formula."""
    return InputError(f"from_text: a formula is a string, not {type(value).__name__}; write 'sum((W @ x - y)**2)'")


def too_long(length: int, most: int) -> InputError:
    """A formula that nobody wrote by hand."""
    return InputError(
        f"from_text: the formula has {length:,} characters, and at most {most:,} are read; write a function and use "
        "sb.from_function"
    )


def too_deep() -> InputError:
    """Parentheses or operators that are nested beyond what is read."""
    return InputError("from_text: the formula is nested too deeply; give its parts names: z = W @ x + b; sum(z**2)")


def empty() -> InputError:
    """A formula without an expression."""
    return InputError("from_text: the formula is empty; write an expression, such as 'sum((W @ x - y)**2)'")


def no_shapes(value: object, what: str) -> InputError:
    """Shapes, or dtypes, that are no mapping."""
    return InputError(f"from_text: {what} must be a dict from names, such as {{'W': ('h', 'n')}}, not {value!r}")


def no_variable(name: object, known: Sequence[str]) -> InputError:
    """A dtype for a name that has no shape."""
    return InputError(f"from_text: dtypes names {name!r}, which has no shape; shapes are given for {', '.join(known)}")


def missing_shapes(names: Sequence[str], known: Collection[str], place: Place) -> InputError:
    """Variables of a formula whose shapes are not given."""
    one = len(names) == 1
    near = _nearest(names[0], known) if one else ""
    listed = " ".join(f"{name}=..." for name in names)
    return refused(
        f"the shape{'' if one else 's'} of {', '.join(names)} {'is' if one else 'are'} not given"
        f"{f' (or did you mean {near!r}?)' if near else ''}; add {'it' if one else 'them'} to shapes, or on the "
        f"command line --shape {listed} (sizes are names or integers: W=h,n; a number has none: c=)",
        place,
    )


def unknown_function(name: str, known: Collection[str], instead: str, place: Place) -> InputError:
    """A call of a name that is no function; `instead` is what to do in place of one that NumPy has."""
    hint = f"; {instead}" if instead else did_you_mean(name, known)
    return refused(f"no function is called {name!r}{hint or '; docs/operations.md lists the functions'}", place)


def bad_shape(text: str, reason: str) -> InputError:
    """A shape in text."""
    return InputError(
        f"the shape {text[:60]!r} cannot be read: {reason}; write names and integers, divided by commas: h,n"
    )


def results(value: Sequence[Any], place: Place) -> InputError:
    """A formula with several results."""
    shapes = ", ".join(show_shape(item.shape) if hasattr(item, "shape") else str(item) for item in value[:4])
    return refused(f"the formula has {len(value)} results ({shapes}), wanted one; pick one by [0]", place)
