"""Messages of tracing: what an ordinary function does that a graph cannot record, and what to write instead."""

from typing import Any

from symback.errors.kinds import DtypeError, InputError, ShapeError, UsageError
from symback.errors.refusals import remembered
from symback.errors.words import show_shape


@remembered
def branch(what: str) -> UsageError:
    """A traced value where Python wants True or False."""
    return UsageError(
        f"{what} has no truth value while a function is traced: if, while, and, or, not, in, max() and min() cannot "
        "depend on it; use np.where (sb.where), np.logical_and, np.maximum"
    )


@remembered
def no_value(what: str, kind: str) -> UsageError:
    """A traced value where Python wants a number."""
    return UsageError(
        f"{what} has no {kind} value while a function is traced; use NumPy's functions on it instead of float(), "
        "int(), math, and x.astype('float64') instead of np.float64(x); to write it into an array, make the array "
        "inside of the traced function, by np.zeros or np.array"
    )


def not_one_number(what: str, kind: str, shape: Any) -> UsageError:
    """An array of several entries where Python wants one number, which NumPy refuses too."""
    return UsageError(f"{what} {show_shape(shape)} has no {kind} value: only an array of one entry has, in NumPy too")


@remembered
def type_of_number(what: str) -> UsageError:
    """A traced number whose exact type is asked for."""
    return UsageError(
        f"whether {what} is Python's or NumPy's number is not known while a function is traced, so it has no type(); "
        "use isinstance(x, float), isinstance(x, np.ndarray) or np.ndim(x) == 0"
    )


@remembered
def layout(what: str, attribute: str, cure: str) -> UsageError:
    """An attribute that tells of memory layout, which is not traced."""
    return UsageError(f"{what}.{attribute} is about memory layout, which is not traced; {cure}")


@remembered
def not_recorded(function: str, cure: str) -> UsageError:
    """A function that writes into its argument and is not recorded."""
    return UsageError(f"{function} is not recorded while a function is traced; {cure}")


@remembered
def nested_derivative(function: str, method: str) -> UsageError:
    """A derivative of a compiled function asked for in traced code."""
    return UsageError(
        f"{function}.{method} cannot be called while a function is traced; there, call {function} and differentiate "
        "the result by an argument of the traced function, sb.grad(y, x), or take the hessian of the outer function"
    )


def changed_outside(what: str) -> UsageError:
    """An object of the caller's that the traced function changed, once, when it was traced."""
    return UsageError(
        f"{what} belongs to the code outside of the traced function, which changes it: that happens once, while it is "
        "traced (the change was undone); return the value instead, or copy what is changed inside of the function"
    )


def swallowed(refusal: Exception) -> UsageError:
    """A refusal that the traced function caught, and went another way than it would with numbers."""
    return UsageError(
        "the traced function caught what symback refused, and would go another way than it does with numbers: "
        f"{refusal}"
    )


@remembered
def symbolic_size(size: object, use: str) -> UsageError:
    """A symbolic size where Python wants an integer."""
    return UsageError(
        f"the size {size} is symbolic and cannot be used for {use}; use whole-array operations and x.shape[0] in "
        "arithmetic, or trace with a fixed size"
    )


@remembered
def size_comparison(left: object, right: object) -> UsageError:
    """A comparison of sizes that depends on the value of a symbolic one."""
    return UsageError(
        f"whether {left} == {right} depends on a symbolic size, and a graph cannot branch on it; trace with fixed sizes"
    )


@remembered
def written_argument(what: str) -> UsageError:
    """An in-place change of something that belongs to the caller."""
    return UsageError(
        f"{what} is an argument or a global array (or shares memory with one), and writing into it would change an "
        "array outside of the function; copy it first: x = x.copy()"
    )


@remembered
def read_only(what: str, function: str) -> UsageError:
    """An in-place change of a view that NumPy makes read-only."""
    return UsageError(f"{what} is what {function} gave, which NumPy makes read-only; copy it first: x = x.copy()")


@remembered
def stale(what: str, function: str) -> UsageError:
    """A use of an array after another one, which may share its memory, was written to."""
    return UsageError(
        f"{what} may share memory, by {function}, with an array that was written to since; whether it changed too "
        "depends on NumPy's memory layout, which is not traced: copy before writing, x = x.copy()"
    )


@remembered
def outside_array(operation: str) -> UsageError:
    """A traced value written into an array that is not traced."""
    return UsageError(
        f"{operation} would write a traced value into an array made outside of the traced function; "
        "copy it inside first: out = np.array(out)"
    )


def not_writable(what: str) -> UsageError:
    """A traced number that is written to as if it were an array."""
    return UsageError(f"{what} is a number and cannot be assigned to by index, in NumPy neither")


def in_place_cast(what: str, found: Any, wanted: Any, operation: str) -> DtypeError:
    """An in-place operation whose result has a dtype that NumPy does not cast back."""
    return DtypeError(
        f"{operation} on {what} in place gives {found}, which NumPy does not cast to {wanted}; "
        f"make it a float first: x = x.astype({str(found)!r})"
    )


def in_place_shape(what: str, found: Any, wanted: Any, operation: str) -> ShapeError:
    """An in-place operation whose result does not fit in."""
    return ShapeError(
        f"{operation} in place: the result has shape {show_shape(found)}, which does not fit into {what} "
        f"{show_shape(wanted)}; write x = x {operation} y for a new array"
    )


@remembered
def random_numbers(name: str) -> UsageError:
    """Random numbers that would be drawn once, when a function is traced."""
    return UsageError(
        f"{name} would be called once, while the function is traced, and its numbers stay the same in every call; "
        "draw them outside and pass them as an argument"
    )


def global_assigned(function: str, name: str) -> UsageError:
    """A traced function that assigns a global variable."""
    return UsageError(
        f"{function} assigns the global name {name!r}, which happens once, while it is traced; return the value instead"
    )


def no_function(value: object) -> UsageError:
    """Something that cannot be traced."""
    return UsageError(
        f"sb.from_function traces Python functions, methods and lambdas, not {type(value).__name__} "
        f"({str(value)[:60]}); generators and coroutines cannot be traced either"
    )


def no_result(value: object) -> UsageError:
    """A result of a traced function that is no array."""
    return UsageError(
        f"the traced function returns {type(value).__name__} ({str(value)[:60]!r}), which is no array; "
        "return arrays, numbers, or tuples, lists and dicts of them"
    )


@remembered
def masked_selection(use: str) -> UsageError:
    """The entries under a traced mask, whose number is not known, used as an array."""
    return UsageError(
        f"x[mask] under a traced mask has no fixed size and cannot be used for {use}; use np.where(mask, x, other), "
        "or write x[mask] = value"
    )


def unknown_argument(operation: str, name: object, known: list[str]) -> InputError:
    """A name of no float argument."""
    return InputError(f"{operation}: {name!r} is no argument of the function; its float arrays are {', '.join(known)}")


def not_a_float_argument(operation: str, name: str, dtype: object) -> DtypeError:
    """A derivative by an argument that is no float array."""
    return DtypeError(
        f"{operation} with respect to {name!r}: it is {dtype}, and derivatives are by float arrays; "
        f"pass it as a float, for example {name}.astype(float)"
    )


def no_float_argument(operation: str) -> DtypeError:
    """A derivative of a function none of whose arguments is a float array."""
    return DtypeError(f"{operation}: no argument is a float array; pass floats, for example x.astype(float)")


def bad_static(name: object, known: list[str]) -> InputError:
    """A static argument that the function does not have."""
    return InputError(f"function: static={name!r} is no parameter; the parameters are {', '.join(known)}")


def unhashable_static(name: str, value: object) -> UsageError:
    """A static argument that cannot be remembered."""
    return UsageError(
        f"the static argument {name!r} is a {type(value).__name__}, which cannot be hashed; pass a tuple, or an array"
    )


def bad_argument(name: str, value: object) -> UsageError:
    """An argument of a compiled function that is neither an array nor something to hold fixed."""
    return UsageError(
        f"the argument {name!r} is a {type(value).__name__}, neither an array nor a number; "
        f"name it in static=({name!r},) if the function is to be traced for each value of it"
    )


def method(name: str) -> UsageError:
    """A compiled function that is called as a method of an object."""
    return UsageError(
        f"sb.function on the method {name}: what self holds would be constant from the first call on; make it a "
        "function of arrays (a staticmethod, or outside of the class) and pass what it needs"
    )
