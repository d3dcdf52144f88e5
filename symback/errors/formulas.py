"""Messages of printed formulas."""

from collections.abc import Iterable

from symback.errors.kinds import VerificationError
from symback.errors.words import show_shape


def unfit_formula(what: str, shapes: Iterable[Iterable[object]]) -> VerificationError:
    """A printed formula whose parts do not fit together."""
    shown = " and ".join(show_shape(shape) for shape in shapes)
    return VerificationError(
        f"verify: {what} in a printed formula has parts of shapes {shown}, which do not fit; a transpose may be missing"
    )


def unlike_argument(function: str) -> VerificationError:
    """A derivative that is printed at another argument than it is taken at."""
    return VerificationError(
        f"verify: the derivative of {function} is printed at another argument than that of the function"
    )
