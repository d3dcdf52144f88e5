"""The classes of errors: one base class, few children; and what the lowest layer says, which needs no words."""


class SymbackError(Exception):
    """Base class of all errors raised by symback."""


class ShapeError(SymbackError, ValueError):
    """Shapes, axes or sizes that do not fit together."""


class DtypeError(SymbackError, TypeError):
    """A dtype that an operation, a derivative or an argument cannot have."""


class InvalidNameError(SymbackError, ValueError):
    """A name that cannot be used in emitted code, or that stands for two things."""


class DerivativeError(SymbackError, ValueError):
    """A derivative that does not exist or was asked for wrongly."""


class KinkError(DerivativeError):
    """A derivative at a point where there is none: a kink, a jump, a tie, an infinite slope."""


class InputError(SymbackError, ValueError):
    """Inputs, outputs or bindings that do not match the graph."""


class MemoryLimitError(SymbackError, MemoryError):
    """A result that would take more memory than a stated limit."""


class UsageError(SymbackError, TypeError):
    """A Python construct that cannot be applied to a graph node, or a wrong kind of argument."""


class NoScalarError(UsageError, AttributeError):
    """A property of SymPy's scalars that a node does not have."""


class RewriteError(SymbackError, ValueError):
    """Rules that come to no end, or that change what an expression stands for."""


class GradientMismatchError(SymbackError, AssertionError):
    """A gradient that differs from finite differences."""


class UndecidedError(SymbackError, AssertionError):
    """A gradient that no method could judge with the accuracy that was asked for."""


class VerificationError(SymbackError, AssertionError):
    """A line of a derivation that does not hold."""


class CheckFailedError(SymbackError, AssertionError):
    """A primitive that fails one of the generic tests."""


class InconsistentGraphError(SymbackError, AssertionError):
    """A node whose value is not what the node declares: a fault of a shape rule, of a pass, or of symback."""


def bad_dtype(dtype: object) -> DtypeError:
    """A dtype symback does not support."""
    return DtypeError(f"dtype {dtype!r} is not supported: use float64, float32, bool or an integer dtype")


def bad_look(look: object, reason: str) -> InvalidNameError:
    """A look in print that is no harmless, well-formed LaTeX."""
    return InvalidNameError(
        f"latex={look!r} cannot be printed: {reason}; use letters, digits, indices in braces, accents, fonts "
        r"and Greek letters, such as \hat{\theta}_{1}"
    )
