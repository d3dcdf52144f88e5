"""Messages about pages: the forms they are printed in, and the files they are saved to."""

from collections.abc import Sequence

from symback.errors.kinds import InputError, SymbackError, UsageError


def unknown_markup(found: str, formula: str) -> SymbackError:
    """LaTeX that the other forms cannot be made from: a fault of symback, or of the look of a primitive."""
    return InputError(
        f"{found} in the formula {formula!r} cannot be turned into MathML or Unicode; "
        "correct the look, or add the command to symback/page/signs.py"
    )


def no_path(given: object) -> SymbackError:
    """Something else where a path is wanted."""
    return InputError(f"save: {given!r} is no path; give a string or a pathlib.Path, such as 'page.html'")


def unknown_suffix(path: object, known: Sequence[str]) -> SymbackError:
    """A file whose suffix says no form."""
    return InputError(f"save: {str(path)!r} has none of the suffixes {', '.join(known)}, which say the form; rename it")


def no_tex(path: object, programs: Sequence[str]) -> SymbackError:
    """No program that makes a PDF."""
    return UsageError(
        f"save: {str(path)!r} needs a TeX, and none of {', '.join(programs)} is installed; "
        "install one, or save as .tex or .html"
    )


def tex_failed(program: str, reason: str) -> SymbackError:
    """A document that TeX does not compile."""
    return InputError(f"save: {program} did not compile the derivation: {reason}; save it as .tex to see the whole")
