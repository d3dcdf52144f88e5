"""Messages of straight-line functions of scalars."""

from collections.abc import Iterable, Sequence
from typing import Any

from symback.errors.kinds import InputError, UsageError


def bad_accumulation(given: object, known: Iterable[str]) -> InputError:
    """An order of accumulation that is not known."""
    return InputError(f"scalar_function: accumulation={given!r} is not known; it is one of {', '.join(known)}")


def bad_order(order: object, shape: Sequence[int]) -> InputError:
    """Derivatives of an order that is not to be had."""
    if order == 2 and not shape:
        return InputError("scalar_function: order=2 is the Hessian, and wrt= does not say by what; give the inputs")
    if order == 2:
        return InputError(
            f"scalar_function: order=2 is for one scalar, and the outputs have shape {tuple(shape)}; "
            "give one of them, or differentiate the gradient"
        )
    return InputError(f"scalar_function: order={order!r} is not known; it is 1, or 2 for one scalar")


def bad_inputs(names: Sequence[str]) -> InputError:
    """Inputs that are none, or two of one name."""
    if not names:
        return InputError("scalar_function: there are no inputs; give at least one, which no output need have")
    name = next(name for name in names if names.count(name) > 1)
    return InputError(f"scalar_function: the input {name} is given twice; give each input once")


def bad_threads(given: object) -> InputError:
    """A number of threads that is none."""
    return InputError(f"scalar_function: threads={given!r} is no number of threads; give 1 or more, or leave it out")


def not_listed(what: str, given: object) -> InputError:
    """Inputs that are no list."""
    return InputError(
        f"scalar_function: {what} is a {type(given).__name__}; give a list of symbols, of one too: {what}=[x]"
    )


def not_scalars(outputs: Any) -> UsageError:
    """Outputs that are no scalars, no list and no matrix of them."""
    what = "nothing" if not outputs else "structures within one another"
    return UsageError(
        f"scalar_function: the outputs hold {what}; give a scalar, a list of scalars or a matrix of SymPy, "
        "or use sb.lambdify for structures of arrays"
    )


def unknown_input(name: str, inputs: Iterable[str]) -> InputError:
    """A symbol that is no input."""
    return InputError(
        f"scalar_function: {name} is none of the inputs {', '.join(inputs) or '(there are none)'}; add it to them"
    )
