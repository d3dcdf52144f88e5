"""The operators of arrays, each a function of `METHODS`, looked up by NumPy's name when it is called."""

from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

METHODS: dict[str, Callable[..., Any]] = {}
"""The functions behind operators, methods and NumPy's protocols, by NumPy's names, entered where they are defined."""

Result = TypeVar("Result")


class Operators(Generic[Result]):
    """Operators that are functions of NumPy.

    How a function is called (on nodes, or on what is traced) and how a refusal is worded is left to the class that
    inherits: `_apply` and `_refuse`.
    """

    __slots__ = ()

    def _apply(self, name: str, *operands: Any, **options: Any) -> Result:
        """Call the function of this name; an option that is None or False says nothing."""
        raise NotImplementedError

    def _refuse(self, name: str, cure: str) -> NoReturn:
        """Raise the error for what arrays have and expressions have not."""
        raise NotImplementedError

    def __add__(self, other: Any) -> Result:
        return self._apply("add", self, other)

    def __radd__(self, other: Any) -> Result:
        return self._apply("add", other, self)

    def __sub__(self, other: Any) -> Result:
        return self._apply("subtract", self, other)

    def __rsub__(self, other: Any) -> Result:
        return self._apply("subtract", other, self)

    def __mul__(self, other: Any) -> Result:
        return self._apply("multiply", self, other)

    def __rmul__(self, other: Any) -> Result:
        return self._apply("multiply", other, self)

    def __truediv__(self, other: Any) -> Result:
        return self._apply("divide", self, other)

    def __rtruediv__(self, other: Any) -> Result:
        return self._apply("divide", other, self)

    def __floordiv__(self, other: Any) -> Result:
        return self._apply("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> Result:
        return self._apply("floor_divide", other, self)

    def __mod__(self, other: Any) -> Result:
        return self._apply("remainder", self, other)

    def __rmod__(self, other: Any) -> Result:
        return self._apply("remainder", other, self)

    def __matmul__(self, other: Any) -> Result:
        return self._apply("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Result:
        return self._apply("matmul", other, self)

    def __and__(self, other: Any) -> Result:
        return self._apply("bitwise_and", self, other)

    def __rand__(self, other: Any) -> Result:
        return self._apply("bitwise_and", other, self)

    def __or__(self, other: Any) -> Result:
        return self._apply("bitwise_or", self, other)

    def __ror__(self, other: Any) -> Result:
        return self._apply("bitwise_or", other, self)

    def __xor__(self, other: Any) -> Result:
        return self._apply("bitwise_xor", self, other)

    def __rxor__(self, other: Any) -> Result:
        return self._apply("bitwise_xor", other, self)

    def __lshift__(self, other: Any) -> Result:
        return self._apply("left_shift", self, other)

    def __rlshift__(self, other: Any) -> Result:
        return self._apply("left_shift", other, self)

    def __rshift__(self, other: Any) -> Result:
        return self._apply("right_shift", self, other)

    def __rrshift__(self, other: Any) -> Result:
        return self._apply("right_shift", other, self)

    def __divmod__(self, other: Any) -> tuple[Result, Result]:
        return self._apply("floor_divide", self, other), self._apply("remainder", self, other)

    def __rdivmod__(self, other: Any) -> tuple[Result, Result]:
        return self._apply("floor_divide", other, self), self._apply("remainder", other, self)

    def __pow__(self, other: Any, modulus: Any = None) -> Result:
        if modulus is not None:
            self._refuse("pow with a modulus", "x**y % m")
        return self._apply("power", self, other)

    def __rpow__(self, other: Any) -> Result:
        return self._apply("power", other, self)

    def __neg__(self) -> Result:
        return self._apply("negative", self)

    def __pos__(self) -> Result:
        return self._apply("positive", self)

    def __abs__(self) -> Result:
        return self._apply("abs", self)

    def __invert__(self) -> Result:
        return self._apply("invert", self)

    def __round__(self, digits: int | None = None) -> Result:
        return self._apply("round", self, digits or 0)

    def __lt__(self, other: Any) -> Result:
        return self._apply("less", self, other)

    def __le__(self, other: Any) -> Result:
        return self._apply("less_equal", self, other)

    def __gt__(self, other: Any) -> Result:
        return self._apply("greater", self, other)

    def __ge__(self, other: Any) -> Result:
        return self._apply("greater_equal", self, other)

    def __contains__(self, value: Any) -> bool:
        self._refuse("in", "sb.any(sb.equal(x, value))")
