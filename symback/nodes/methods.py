"""The methods and attributes of `numpy.ndarray`, by NumPy's names and in its order of arguments."""

from typing import Any, NoReturn

from symback.nodes.operators import Operators, Result


class ArrayMethods(Operators[Result]):
    """What NumPy code calls on an array. Each method is the function of the same name; see `Operators`."""

    __slots__ = ()

    # -- reductions -------------------------------------------------------------------------

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Result:
        """Sum over `axis` (an integer, a tuple, or None for all axes)."""
        return self._apply("sum", self, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **more)

    def mean(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Result:
        """Average over `axis`."""
        return self._apply("mean", self, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **more)

    def prod(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Result:
        """Product over `axis`."""
        return self._apply("prod", self, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **more)

    def var(
        self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, **more: Any
    ) -> Result:
        """Variance over `axis`; `ddof` is subtracted from the number of entries."""
        more = {**more, "ddof": ddof} if ddof else more
        return self._apply("var", self, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **more)

    def std(
        self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, **more: Any
    ) -> Result:
        """Standard deviation over `axis`."""
        more = {**more, "ddof": ddof} if ddof else more
        return self._apply("std", self, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **more)

    def max(self, axis: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Result:
        """Largest entry over `axis`."""
        return self._apply("max", self, axis=axis, out=out, keepdims=keepdims, **more)

    def min(self, axis: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Result:
        """Smallest entry over `axis`."""
        return self._apply("min", self, axis=axis, out=out, keepdims=keepdims, **more)

    def any(self, axis: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Result:
        """Is an entry true, over `axis`?"""
        return self._apply("any", self, axis=axis, out=out, keepdims=keepdims, **more)

    def all(self, axis: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Result:
        """Are all entries true, over `axis`?"""
        return self._apply("all", self, axis=axis, out=out, keepdims=keepdims, **more)

    def argmax(self, axis: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Result:
        """Position of the largest entry."""
        return self._apply("argmax", self, axis=axis, out=out, keepdims=keepdims, **more)

    def argmin(self, axis: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Result:
        """Position of the smallest entry."""
        return self._apply("argmin", self, axis=axis, out=out, keepdims=keepdims, **more)

    def cumsum(self, axis: Any = None, dtype: Any = None, out: Any = None) -> Result:
        """Running sum along `axis`."""
        return self._apply("cumsum", self, axis=axis, dtype=dtype, out=out)

    def cumprod(self, axis: Any = None, dtype: Any = None, out: Any = None) -> Result:
        """Running product along `axis`."""
        return self._apply("cumprod", self, axis=axis, dtype=dtype, out=out)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Result:
        """Sum along a diagonal."""
        return self._apply("trace", self, **_changed(offset, axis1, axis2), dtype=dtype, out=out)

    def dot(self, b: Any, out: Any = None) -> Result:
        """Return the product `numpy.dot` gives."""
        return self._apply("dot", self, b, out=out)

    # -- shape ------------------------------------------------------------------------------

    @property
    def T(self) -> Result:
        """The array with its axes reversed."""
        return self._apply("transpose", self)

    @property
    def mT(self) -> Result:
        """The array with its last two axes exchanged."""
        return self._apply("matrix_transpose", self)

    def transpose(self, *axes: Any) -> Result:
        """Permute the axes, as `numpy.ndarray.transpose` does."""
        given: Any = axes[0] if len(axes) == 1 and not hasattr(axes[0], "__index__") else axes
        return self._apply("transpose", self, given or None)

    def reshape(self, *shape: Any, order: str = "C") -> Result:
        """Change the shape and keep the entries in row-major order; one size may be -1."""
        given = shape[0] if len(shape) == 1 else shape
        return self._apply("reshape", self, given, **_order(order))

    def ravel(self, order: str = "C") -> Result:
        """All entries in row-major order, as one axis."""
        return self._apply("ravel", self, **_order(order))

    def flatten(self, order: str = "C") -> Result:
        """All entries in row-major order, as one axis; the entries are copied."""
        return self._apply("copy", self._apply("ravel", self, **_order(order)))

    def swapaxes(self, axis1: int, axis2: int) -> Result:
        """Exchange two axes."""
        return self._apply("swapaxes", self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Result:
        """Remove axes of size 1."""
        return self._apply("squeeze", self, axis=axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Result:
        """Entries of a diagonal."""
        return self._apply("diagonal", self, **_changed(offset, axis1, axis2))

    # -- entries ----------------------------------------------------------------------------

    def clip(self, min: Any = None, max: Any = None, out: Any = None) -> Result:
        """Entries moved into an interval."""
        return self._apply("clip", self, min, max, out=out)

    def round(self, decimals: int = 0, out: Any = None) -> Result:
        """Entries rounded to a number of decimals."""
        return self._apply("round", self, decimals, out=out)

    def take(self, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Result:
        """Entries at indices along an axis."""
        return self._apply("take", self, indices, axis=axis, out=out, **({} if mode == "raise" else {"mode": mode}))

    def repeat(self, repeats: Any, axis: Any = None) -> Result:
        """Entries repeated along an axis."""
        return self._apply("repeat", self, repeats, axis=axis)

    def argsort(self, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Result:
        """Places of the entries in increasing order."""
        return self._apply("argsort", self, axis, kind=kind, order=order, stable=stable)

    def compress(self, condition: Any, axis: Any = None, out: Any = None) -> Result:
        """Slices where a condition holds."""
        return self._apply("compress", condition, self, axis=axis, out=out)

    def nonzero(self) -> Result:
        """Places of the entries that are not zero."""
        return self._apply("nonzero", self)

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Result:
        """Places where values would be inserted."""
        return self._apply("searchsorted", self, v)

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Result:
        """Convert to another dtype."""
        return self._apply("astype", self, dtype)

    def copy(self, order: str = "C") -> Result:
        """Return a copy; an expression never changes, so it is its own."""
        return self._apply("copy", self)

    def conj(self) -> Result:
        """Return the complex conjugate: a real array is its own."""
        return self._apply("conj", self)

    conjugate = conj

    @property
    def real(self) -> Result:
        """The real part: the array itself."""
        return self._apply("real", self)

    @property
    def imag(self) -> Result:
        """The imaginary part: zeros."""
        return self._apply("zeros_like", self)

    # -- what an expression has not -----------------------------------------------------------

    @property
    def flat(self) -> NoReturn:
        """Refuse: see ravel."""
        self._refuse("flat", "x.ravel()")

    def item(self, *index: Any) -> NoReturn:
        """Refuse: an expression has no value yet."""
        self._refuse("item", "x[i], or sb.lambdify for its value")

    def tolist(self) -> NoReturn:
        """Refuse: an expression has no value yet."""
        self._refuse("tolist", "list(x) for its rows, or sb.lambdify for its value")

    def sort(self, axis: int = -1, **unused: Any) -> NoReturn:
        """Refuse to sort in place."""
        self._refuse("sort (in place)", "x = sb.sort(x)")

    def fill(self, value: Any) -> NoReturn:
        """Refuse to fill in place."""
        self._refuse("fill (in place)", "x = sb.full_like(x, value)")

    def put(self, indices: Any, values: Any, mode: str = "raise") -> NoReturn:
        """Refuse to write in place."""
        self._refuse("put (in place)", "x = sb.set_at(x, index, values)")

    def partition(self, *unused: Any, **options: Any) -> NoReturn:
        """Refuse to sort in place."""
        self._refuse("partition (in place)", "x = sb.sort(x)")

    def resize(self, *unused: Any, **options: Any) -> NoReturn:
        """Refuse to change the shape in place."""
        self._refuse("resize (in place)", "x = x.reshape(shape)")

    def view(self, *unused: Any, **options: Any) -> NoReturn:
        """Refuse to read memory in another way."""
        self._refuse("view", "x.astype(dtype)")

    def tobytes(self, order: str = "C") -> NoReturn:
        """Refuse: an expression has no value yet."""
        self._refuse("tobytes", "sb.lambdify for its value")

    def choose(self, choices: Any, **options: Any) -> NoReturn:
        """Refuse: see where."""
        self._refuse("choose", "sb.where or sb.select")


def _changed(offset: int, axis1: int, axis2: int) -> dict[str, int]:
    """Return the arguments of a diagonal that are not the usual ones."""
    given = {"offset": (offset, 0), "axis1": (axis1, 0), "axis2": (axis2, 1)}
    return {name: value for name, (value, usual) in given.items() if value != usual}


def _order(order: str) -> dict[str, str]:
    return {} if order == "C" else {"order": order}
