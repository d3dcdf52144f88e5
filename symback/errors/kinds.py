"""The classes of errors: one base class, few children."""


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


class InputError(SymbackError, ValueError):
    """Inputs, outputs or bindings that do not match the graph."""


class UsageError(SymbackError, TypeError):
    """A Python construct that cannot be applied to a graph node, or a wrong kind of argument."""


class NoScalarError(UsageError, AttributeError):
    """A property of SymPy's scalars that a node does not have."""


class RewriteError(SymbackError, ValueError):
    """Rules that come to no end, or that change what an expression stands for."""


class GradientMismatchError(SymbackError, AssertionError):
    """A gradient that differs from finite differences."""


class CheckFailedError(SymbackError, AssertionError):
    """A primitive that fails one of the generic tests."""


class InconsistentGraphError(SymbackError, AssertionError):
    """A node whose value is not what the node declares: a fault of a shape rule, of a pass, or of symback."""
