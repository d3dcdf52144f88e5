"""Messages of the command line: each says in a line or two what to type instead."""

import os
from collections.abc import Collection, Sequence

from symback.errors.kinds import InputError, SymbackError, UsageError
from symback.errors.text import did_you_mean


class UserCodeError(SymbackError):
    """An exception in the code of the user that a command was asked to run."""


def usage(reason: str) -> InputError:
    """Arguments that cannot be read."""
    return InputError(f"{reason} (--help shows examples)")


def no_target(shapes: Sequence[str]) -> InputError:
    """A command without a formula or function."""
    taken = [item for item in shapes if "=" not in item or "(" in item]
    hint = f"; --shape took {taken[-1]!r} for a shape: write it first" if taken else ""
    return usage(f"the formula or the function is missing{hint}")


def bad_pair(option: str, text: str, form: str) -> InputError:
    """A value that is not of the form NAME=VALUE."""
    return usage(f"{option} {text!r} is not of the form {form}")


def twice(option: str, name: str) -> InputError:
    """A name that is given two values."""
    return usage(f"{option} names {name} twice")


def unknown_names(option: str, names: Sequence[str], known: Sequence[str], what: str) -> InputError:
    """Names that the target does not have."""
    hint = did_you_mean(names[0], known)
    return usage(f"{option} names {', '.join(names)}, but {what} {', '.join(known) or 'none'}{hint}")


def missing_shapes(function: str, names: Sequence[str], given: Collection[str]) -> InputError:
    """Parameters of a function whose shapes are not given."""
    known = f"the shapes of {', '.join(given)} are known, " if given else ""
    return usage(
        f"{function}: {known}{'add' if given else 'give'} --shape {' '.join(f'{name}=...' for name in names)}: sizes "
        "are names or integers (W=h,n), a number has none (c=)"
    )


def missing_arrays(function: str, names: Sequence[str], given: Sequence[str]) -> InputError:
    """Parameters of a function that runs as it is, for which the point has no arrays."""
    return usage(f"{function}: --at has the arrays {', '.join(given) or 'none'}; save {', '.join(names)} with them")


def only_by_place(function: str, parameter: str) -> InputError:
    """A function that runs as it is, but has a parameter without a name to pass it by."""
    return usage(f"{function} cannot be called with arrays by name: {parameter} is passed by place; write one that can")


def no_module(module: str, folder: str) -> InputError:
    """A module that is not there."""
    return InputError(
        f"there is no module {module!r} in {folder} or on the Python path; write module:function, or "
        "path/file.py:function"
    )


def no_file(path: str) -> InputError:
    """A file of Python code that is not there."""
    return InputError(f"there is no file {path!r}; write path/file.py:function")


def no_function(module: str, name: str, known: Sequence[str]) -> InputError:
    """A module without a function of that name."""
    listed = f"; it has {', '.join(known[:8])}{', …' if len(known) > 8 else ''}" if known else ""
    return InputError(f"{module} has no function {name!r}{did_you_mean(name, known) or listed}")


def not_callable(target: str, kind: str) -> InputError:
    """A target that is neither a function nor a graph."""
    return InputError(f"{target} is of type {kind}; name a function of arrays, or a symback node")


def variadic(function: str, parameter: str) -> InputError:
    """A function that takes any number of arguments."""
    return InputError(f"{function} takes any number of arguments ({parameter}); write one with a name for each array")


def not_traced(error: UsageError) -> UsageError:
    """A function that looks at values, of which a graph has none."""
    cure = "to check it as it runs, give its gradient and a point, and no shapes: --gradient module:function --at FILE"
    return UsageError(f"{error}; {cure}")


def several_results(function: str, count: int) -> InputError:
    """A function that returns more than a loss."""
    return InputError(
        f"{function} returns {count} results, wanted one scalar; write a function that returns the loss alone"
    )


def in_user_code(where: str, error: BaseException) -> UserCodeError:
    """An exception in the user's own code, with the place."""
    text = " ".join(str(error).split())
    return UserCodeError(f"{where}: {type(error).__name__}{f': {text}' if text else ''} (--traceback shows all)")


def bad_file(path: str, reason: str) -> InputError:
    """A file of values that cannot be read."""
    return InputError(f"--at {path!r}: {reason}; write the point with numpy.savez(path, W=..., x=...)")


def not_written(path: str, error: OSError) -> InputError:
    """A file, or standard output, that cannot be written."""
    return InputError(f"cannot write {path}: {error.strerror or error}")


def no_output() -> InputError:
    """A standard output that is closed."""
    return InputError("standard output is closed; write to a file with -o")


def not_encodable(sign: str, encoding: str) -> InputError:
    """A page that the terminal cannot show."""
    return InputError(
        f"standard output has the encoding {encoding}, which has no {sign!a}; set PYTHONIOENCODING=utf-8, "
        "write to a file with -o, or ask for --form latex"
    )


def pdf_needs_file() -> InputError:
    """A PDF that would go to a terminal."""
    return usage("--form pdf needs a file: -o page.pdf")


def bad_suffix(path: str | os.PathLike[str], form: str, wanted: Sequence[str]) -> InputError:
    """A file whose name says another form than the one that is asked for."""
    return usage(f"-o {os.fspath(path)!r} does not go with --form {form}; the name must end in {' or '.join(wanted)}")


def unknown_suffix(path: str, known: Sequence[str]) -> InputError:
    """A file whose name says no form."""
    return usage(f"-o {path!r} says no form; the name must end in {', '.join(known)}")


def unexpected(error: BaseException) -> str:
    """Describe an exception that should not have come this far."""
    return f"unexpected {type(error).__name__}: {error}; this is a fault of symback (--traceback shows where)"
