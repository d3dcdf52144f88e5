"""Messages about functions that have no declaration: undefined ones, and classes of SymPy's."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import InputError, InvalidNameError, UsageError


def no_value(function: Any) -> UsageError:
    """A value of a function that has none."""
    return UsageError(
        f"{function.words} has no value: it is undefined. Say what it is where code is made, "
        f"sb.lambdify(inputs, outputs, functions={{{function.name!r}: ...}}), and likewise in sb.check_grad; elsewhere "
        "declare it with sb.elementwise, or give it a value in SymPy: implemented_function, or a subclass of Function "
        "with _eval_evalf"
    )


def missing(function: Any, operation: str = "lambdify") -> InputError:
    """A function, or a derivative of one, that `functions=` does not give."""
    if not function.order:
        return InputError(
            f"{operation}: {function.name} is undefined; say what it is: "
            f"functions={{{function.name!r}: a NumPy function}}"
        )
    if len(function.orders) > 1:
        given = f"{{{(0,) * len(function.orders)}: {function.name}, {function.orders}: {function.word}, ...}}"
    else:
        words = [function._replace(orders=(k,)).word for k in range(function.order + 1)]
        given = f"({', '.join(words)})"
    return InputError(
        f"{operation}: {function.words} is needed and not given; write functions={{{function.name!r}: {given}}}"
    )


def bad_functions(value: object, reason: str, operation: str = "lambdify") -> InputError:
    """What `functions=` cannot be."""
    return InputError(
        f"{operation}: functions={str(value)[:80]} cannot be used: {reason}; give a dict from names of functions to a "
        "callable, to a tuple (f, df, d2f), or to a dict from orders to callables"
    )


def two_functions(name: str) -> InvalidNameError:
    """Two functions of one name."""
    return InvalidNameError(
        f"two different functions are called {name!r} (their assumptions, their numbers of arguments or their classes "
        "differ); rename one"
    )


def bad_parameters(parameters: Sequence[Any]) -> UsageError:
    """Parameters that say no function."""
    return UsageError(f"undefined: {str(tuple(parameters))[:80]} is no function: a name, and a count for each argument")


def wrong_arity(function: Any, found: int) -> UsageError:
    """A function with another number of arguments than it has."""
    if not found:
        return UsageError(f"{function.name}() has no arguments, so it is a number; use a symbol for it")
    return UsageError(f"{function.name} takes {len(function.orders)} arguments, not {found}")


def bad_derivative(kind: type, found: object) -> UsageError:
    """A class of SymPy's whose method for derivatives returns no expression."""
    return UsageError(
        f"{kind.__name__}.fdiff gives {str(found)[:40]} ({type(found).__name__}), which is no scalar expression of "
        "SymPy; return one of self.args, or raise ArgumentIndexError where there is no derivative"
    )


def not_real(name: str) -> UsageError:
    """A function whose values are no real numbers."""
    return UsageError(
        f"from_sympy: cannot convert the function {name}: its assumptions say that its values are not real numbers, or "
        "do not commute; make it without these assumptions"
    )


def not_written(kind: type) -> UsageError:
    """A class of SymPy's in a graph that is pickled or written: a document could not say what it does."""
    return UsageError(
        f"a graph that applies the class {kind.__name__} can be neither pickled nor written: a document cannot say "
        f"what the class does; use sympy.Function({kind.__name__!r}) in its place, or pickle the SymPy expression"
    )
