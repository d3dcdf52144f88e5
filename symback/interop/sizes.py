"""Symbolic sizes inside of a traced function: numbers in arithmetic, never a reason to branch."""

from collections.abc import Callable
from typing import Any, NoReturn

import sympy

from symback.errors import tracing as messages
from symback.nodes.shapes import SizeExpr, simplify_size

Reckon = Callable[[str, Any, Any], Any]


class TracedSize:
    """A size such as ``x.shape[0]`` of a traced array: what it is equal to is known only where it is a number."""

    __slots__ = ("_reckon", "size")
    _op_priority = 1000.0  # SymPy leaves arithmetic to us
    __array_priority__ = 1000

    def __init__(self, size: sympy.Expr, reckon: Reckon) -> None:
        self.size = size
        self._reckon = reckon

    def _polynomial(self, name: str, left: Any, right: Any) -> Any:
        """Add, subtract or multiply: a size again if both are sizes, else a traced value."""
        plain = [operand.size if isinstance(operand, TracedSize) else operand for operand in (left, right)]
        if all(type(operand) is int or isinstance(operand, sympy.Expr) for operand in plain):
            a, b = plain
            result = a + b if name == "add" else a - b if name == "subtract" else a * b
            return traced_size(simplify_size(result), self._reckon)
        return self._reckon(name, left, right)

    def __add__(self, other: Any) -> Any:
        return self._polynomial("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._polynomial("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._polynomial("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._polynomial("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._polynomial("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._polynomial("multiply", other, self)

    def __neg__(self) -> Any:
        return self._polynomial("multiply", -1, self)

    def __truediv__(self, other: Any) -> Any:
        return self._reckon("divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._reckon("divide", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._reckon("floor_divide", self, other)

    def __mod__(self, other: Any) -> Any:
        return self._reckon("remainder", self, other)

    def __pow__(self, other: Any) -> Any:
        return self._reckon("power", self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._reckon("power", other, self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return self._reckon(ufunc.__name__, *inputs) if method == "__call__" and not options else NotImplemented

    def __eq__(self, other: object) -> bool:
        plain = plain_size(other)
        if type(plain) is not int and not isinstance(plain, sympy.Expr):
            return False
        difference = sympy.expand(self.size - plain)
        if difference.is_number:
            return bool(difference == 0)
        raise messages.size_comparison(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> NoReturn:
        raise messages.symbolic_size(self, "a set or the key of a dict")

    def _unknown(self, other: object) -> NoReturn:
        raise messages.size_comparison(self, other)

    __lt__ = __le__ = __gt__ = __ge__ = _unknown

    def __index__(self) -> NoReturn:
        raise messages.symbolic_size(self, "range(), len() or an integer")

    def __float__(self) -> NoReturn:
        raise messages.symbolic_size(self, "float()")

    def __int__(self) -> NoReturn:
        raise messages.symbolic_size(self, "int()")

    def __bool__(self) -> NoReturn:
        raise messages.symbolic_size(self, "a truth value")

    def __repr__(self) -> str:
        return str(self.size)


def traced_size(size: SizeExpr, reckon: Reckon) -> Any:
    """Return a size as traced code sees it: an integer if it is known."""
    return size if isinstance(size, int) else TracedSize(size, reckon)


def plain_size(size: Any) -> Any:
    """Return what stands behind a traced size, or anything else itself."""
    return size.size if isinstance(size, TracedSize) else size
