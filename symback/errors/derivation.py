"""Messages of derivations and of their verification."""

from collections.abc import Iterable

from symback.errors.kinds import DerivativeError, InputError, InvalidNameError, KinkError, UsageError, VerificationError


def at_kink(function: str, by: str) -> KinkError:
    """A derivative that does not exist at the point."""
    where = f"the derivative of {function}" if function == by else f"the derivative of {function} by {by}"
    return KinkError(f"verify: {where} does not exist at this point: a kink, a jump, a tie or an infinite slope")


def decided_by_rounding(function: str) -> KinkError:
    """A value that jumps where its operands are rounded."""
    return KinkError(f"verify: {function} is decided by rounding at this point: a tie, a jump or a singular matrix")


def line_fails(line: str, residual: str, digits: int, reason: str) -> VerificationError:
    """A line of a derivation that does not hold."""
    by = reason or f"its sides differ by {residual} of their size"
    return VerificationError(
        f"verify: this line does not hold to {digits} digits, {by}: {line}; "
        "look at the derivative rules of the functions in it"
    )


def nothing_checked(reason: str) -> VerificationError:
    """A derivation of which no line could be checked."""
    return VerificationError(f"verify: no line could be checked: {reason}; give another point by at=...")


def computed_point(name: str) -> InputError:
    """A value for a node that is computed."""
    return InputError(f"verify: at= gives a value for {name}, which is computed; give the variables it is made of")


def bad_digits(digits: object, points: object) -> InputError:
    """A number of digits, or of points, that verification cannot have."""
    return InputError(
        f"verify: digits={digits!r} must be an integer from 6 to 1000, and points={points!r} one from 1 to 1000"
    )


def bad_seed(seed: object) -> InputError:
    """What random values cannot be drawn from."""
    return InputError(f"verify: seed={seed!r} must be an integer that is not negative")


def not_verified(given: object) -> UsageError:
    """Neither a truth value nor a verification."""
    return UsageError(f"verified={given!r} is not known; give True, or what verify() returned")


def other_derivation() -> InputError:
    """A verification of another derivation."""
    return InputError(
        "verified: this is the verification of another derivation; give True, or what its verify() returned"
    )


def not_symmetric(function: str, operand: str) -> InputError:
    """A matrix that is not symmetric, of which one half is read."""
    return InputError(
        f"verify: {function} reads one half of {operand}, which is not symmetric at this point: derivatives take it as "
        "symmetric; give a symmetric matrix"
    )


def no_symmetric_value(name: str) -> InputError:
    """A value of a symmetric matrix that is not symmetric."""
    return InputError(
        f"verify: the value of {name} is not symmetric, which the symbol {name} says it is: formulas are written "
        "without its transpose; give a symmetric matrix"
    )


def not_finite_at(names: Iterable[str], where: str) -> InputError:
    """A point at which something is not finite."""
    return InputError(
        f"verify: {', '.join(names)} has no finite value {where}; give a point by at=..., such as at={{'x': array}}"
    )


def same_look(one: str, other: str, look: str) -> InvalidNameError:
    """Two names that nobody can tell apart in print."""
    return InvalidNameError(
        f"derive: {one} and {other} both look like {look} in print; rename one, or give it a look: latex=..."
    )


def same_letter(one: str, other: str, look: str) -> InvalidNameError:
    """Symbols of adjoints that nobody can tell apart from each other, or from a name."""
    return InvalidNameError(
        f"derive: {one} and {other} both look like {look} in print; give another letter by adjoint=, or rename one"
    )


def bad_letter(name: str, letter: object) -> InvalidNameError:
    """A letter for an adjoint that begins as no symbol does."""
    return InvalidNameError(
        rf"derive: adjoint= gives {name} the letter {letter!r}; give LaTeX that begins with a letter, such as '\omega'"
    )


def unknown_letter(name: str, known: Iterable[str]) -> InputError:
    """A letter for the adjoint of what is not there."""
    return InputError(
        f"derive: adjoint= has a letter for {name!r}, which is no name in this graph, nor the stem of one; "
        f"it has {', '.join(sorted(known))}"
    )


def hidden_variable(name: str) -> InputError:
    """A derivative that is asked for and is to have no symbol."""
    return InputError(f"derive: adjoint= gives {name} no symbol (None), but its derivative is asked for; give a letter")


def no_matrix_form(name: str, shape: str) -> DerivativeError:
    """A second derivative by an array that has too many axes for a matrix."""
    return DerivativeError(
        f"derive: with order=2 derivatives are matrices, and {name} of shape {shape} has more than two axes; "
        "reshape it where it is used, or ask for the gradient (order=1) and call sb.hessian"
    )


def no_second_in(notation: str) -> InputError:
    """Second derivatives in a notation that has none."""
    return InputError(
        f"derive: order=2 is written in matrix notation only, not with notation={notation!r}; "
        "leave the notation out, or the order"
    )


def bad_learning_rate(rate: str) -> InputError:
    """A learning rate that is no number."""
    return InputError(f"derive: update={rate} is no scalar; give a learning rate, such as sb.tensor('eta')")


def unlike_adjoint(name: str) -> VerificationError:
    """A second derivative of something that is not the gradient."""
    return VerificationError(f"verify: what is differentiated here is not the derivative of the loss by {name}")
