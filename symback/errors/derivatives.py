"""Messages about derivatives that do not exist or were asked for wrongly."""

from typing import Any

from symback.errors.kinds import DerivativeError, DtypeError, InputError, ShapeError, UsageError
from symback.errors.words import show

_WITHOUT_ZEROS = ("derive", "draw")
"""Operations that have no option ``disconnected``."""


def not_scalar(operation: str, node: Any) -> DerivativeError:
    """A loss that has axes."""
    return DerivativeError(
        f"{operation}: the loss {show(node)} is not a scalar (shape ()); sum it first, or use sb.jacobian or sb.vjp"
    )


def dissolved(operation: str, output: Any, node: Any) -> DerivativeError:
    """A multiple or a view that may have gone up in products, so that not all that depends on it is found."""
    return DerivativeError(
        f"{operation}: {output.short()} also depends on what {show(node)} is a multiple or a view of, and products "
        f"look through such nodes; name it where it is made, v = sb.let('v', ...), and differentiate by that"
    )


def disconnected(operation: str, output: Any, node: Any) -> DerivativeError:
    """A variable that the output does not depend on."""
    instead = "leave it out" if operation in _WITHOUT_ZEROS else "pass disconnected='zero' to get zeros"
    return DerivativeError(
        f"{operation}: {output.short()} does not depend on {show(node)}; check the graph, or {instead}"
    )


def no_derivative(primitive: str) -> DerivativeError:
    """A primitive that was declared without a derivative."""
    return DerivativeError(
        f"{primitive} has no derivative: declare one (derivative=... or vjp=...), "
        "or wrap its argument in sb.stop_gradient if none is wanted"
    )


def no_derivative_by(primitive: str, position: int, operand: Any) -> DerivativeError:
    """An operand by which no derivative is known, such as the order of a Bessel function."""
    return DerivativeError(
        f"{primitive} has no derivative by its operand {position + 1}, {operand.short()}; "
        "pass a number, or wrap it in sb.stop_gradient if none is wanted"
    )


def not_one_node(operation: str, given: object) -> UsageError:
    """A list, tuple or dict where one node is differentiated."""
    return UsageError(
        f"{operation}: what is differentiated is one node, not a {type(given).__name__}; add losses up, "
        "or call it for each node (sb.vjp, sb.jvp and sb.jacobian take several)"
    )


def packed_output(operation: str, given: object) -> UsageError:
    """An object made of several arrays, such as a sparse matrix, where nodes are wanted."""
    return UsageError(
        f"{operation}: a {type(given).__name__} is made of several arrays by emitted code, so it is an output for "
        f"sb.lambdify only; call {operation} for the nodes that it belongs to, or for the dense derivative"
    )


def no_variables(operation: str) -> InputError:
    """An empty list of variables."""
    return InputError(f"{operation}: no variables are given; name at least one to differentiate by")


def constant_variable(operation: str, node: Any) -> DtypeError:
    """A derivative with respect to a constant, or to a size."""
    if node.own_sizes and not node.shape:
        return DtypeError(
            f"{operation}: cannot differentiate with respect to {node.short()}: it is a size of arrays, an integer; "
            "use another symbol for a number"
        )
    return DtypeError(
        f"{operation}: cannot differentiate with respect to {node.short()}: a constant is no variable; "
        "make it one by sb.tensor, or name an expression by sb.let"
    )


def output_dtype(operation: str, node: Any) -> DtypeError:
    """The derivative of something that is not real-valued."""
    return DtypeError(
        f"{operation}: cannot differentiate {node.short()}: its dtype is {node.dtype}, derivatives need float32 or "
        "float64; convert with .astype('float64') what it is computed from"
    )


def not_differentiable_dtype(node: Any) -> DtypeError:
    """A derivative with respect to something that is not real-valued."""
    return DtypeError(
        f"cannot differentiate with respect to {node.short()}: its dtype is {node.dtype}, "
        "derivatives need float32 or float64; convert with .astype('float64') and differentiate by that"
    )


def cotangent_mismatch(operation: str, node: Any, given: Any) -> ShapeError:
    """A seed whose shape is not that of its output (or variable)."""
    return ShapeError(f"{operation}: the vector for {show(node)} is {show(given)}; it must have the same shape")


def cotangent_count(operation: str, wanted: int, given: int) -> InputError:
    """Lists of outputs (or variables) and vectors of different length."""
    return InputError(f"{operation}: {wanted} vectors are needed, one for each, but {given} were given")
