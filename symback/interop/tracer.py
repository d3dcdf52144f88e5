"""The proxy that an ordinary NumPy function is run on: an array that records what is done to it.

A `Tracer` holds a NumPy array as long as its contents are known, and an expression from then on. It is an array
to the code that uses it: comparisons are elementwise, assignments are recorded, basic indexing gives
views that see later writes. Where Python wants a value (if, float, an index), a known array gives it, a traced one
refuses.
"""

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from symback.errors import tracing as messages
from symback.errors import usage
from symback.errors.numpy import no_array
from symback.errors.refusals import remembered
from symback.interop.indices import fitted, is_basic, is_mask, is_place, masked_axes, plain_index
from symback.interop.layout import Layout
from symback.interop.sizes import TracedSize, traced_size
from symback.interop.storage import Family, Name, Permuted, Storage, Value, taken, to_node, under_mask
from symback.nodes.display import HOOKS
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import product


class Tracer(Layout):
    """An array, or a NumPy number, of a traced function."""

    __slots__ = ("_cached", "_label", "_path", "_storage", "is_number")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 2000
    _op_priority = 2000.0

    def __init__(self, storage: Storage, path: tuple[Any, ...] = (), *, is_number: bool = False) -> None:
        self._storage = storage
        self._path = path
        self._label = ""
        self._cached: tuple[int, Value] | None = None
        self.is_number = is_number

    # -- what it holds ------------------------------------------------------------------------

    @property
    def value(self) -> Value:
        """The contents at this moment: a NumPy array if they are known, else a node."""
        self._storage.check(self.told())
        if not self._path:
            return self._storage.read()
        if self._cached is None or self._cached[0] != self._storage.version:
            value = self._storage.part(self._path)
            if self._label and isinstance(value, Node):
                value = self._storage.name(self._label, value)
            self._cached = self._storage.version, value
        return self._cached[1]

    def suggest(self, label: str) -> None:
        """Take the name of a local variable, unless there is one already."""
        if self._path:
            self._label = self._label or label
            if self._cached is not None and isinstance(self._cached[1], Node) and self._label == label:
                self._cached = None
        else:
            self._storage.label = self._storage.label or label

    def told(self) -> str:
        """Name the array in a message."""
        held = self._storage.value
        own = "" if self._path else self._storage.label or (held.short() if isinstance(held, Node) else "")
        return self._label or own or "an array of the traced function"

    def _likeness(self) -> Any:
        """Return what has the shape and dtype without being read: neither named nor joined."""
        if not self._path:
            return self._storage.value
        return self.value

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The class that the code would find: an array, or a NumPy number."""
        return self.dtype.type if self.is_number else np.ndarray

    @property
    def shape(self) -> tuple[Any, ...]:
        """The shape; symbolic sizes reckon as numbers do."""
        return tuple(traced_size(size, self._reckon) for size in self._likeness().shape)

    @shape.setter
    def shape(self, shape: Any) -> NoReturn:
        """Refuse."""
        raise messages.layout(self.told(), "shape", f"write x = x.reshape({shape!r})")

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype."""
        found: np.dtype[Any] = self._likeness().dtype
        return found

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._likeness().shape)

    @property
    def size(self) -> Any:
        """The number of entries."""
        return traced_size(product(self._likeness().shape), self._reckon)

    def _reckon(self, name: str, *operands: Any) -> Any:
        return HOOKS["traced_call"](name, operands, {}, self._storage.name)

    def family(self) -> Family:
        """Return the storages that may share memory with this one, after a look whether it may be used."""
        self._storage.check(self.told())
        return self._storage.family

    def name(self) -> Name:
        """Return what gives names in this trace."""
        return self._storage.name

    # -- functions of it ------------------------------------------------------------------------

    def _apply(self, name: str, *operands: Any, **options: Any) -> Any:
        given = {option: value for option, value in options.items() if value is not None and value is not False}
        return HOOKS["traced_call"](name, operands, given, self._storage.name)

    def _refuse(self, name: str, cure: str) -> NoReturn:
        raise remembered(usage.no_operator)(name, cure)

    def __eq__(self, other: object) -> Any:
        return self._apply("equal", self, other)

    def __ne__(self, other: object) -> Any:
        return self._apply("not_equal", self, other)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return HOOKS["traced_ufunc"](ufunc, method, inputs, options, self._storage.name)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return HOOKS["traced_function"](function, args, options, self._storage.name)

    def astype(self, dtype: Any, *unused: Any, copy: bool = True, **options: Any) -> Any:
        """Convert to another dtype."""
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return self._apply("astype", self, dtype)

    def fill(self, value: Any) -> None:  # type: ignore[override]
        """Write a number into every entry."""
        self[...] = value

    def sort(self, axis: int = -1, **unused: Any) -> None:  # type: ignore[override]
        """Sort along an axis, in place."""
        self._write(self._apply("sort", self, axis))

    # -- indexing -------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        index = plain_index(index)
        self._storage.check(self.told())
        if is_mask(index):
            return HOOKS["selection"](self, index)
        if masked_axes(index) is not None:
            raise messages.masked_selection("an index with other items beside it")
        if not is_basic(index):
            return self.fresh(taken(self.value, index))
        found = self._storage.part((index,)) if is_place(index, self.ndim) and not self._path else None
        if found is not None or self.is_number or is_place(index, self.ndim):
            return self.fresh(taken(self.value, index) if found is None else found)
        taken(self._likeness(), index)  # refuses what does not fit
        return Tracer(self._storage, (*self._path, index))

    def permuted(self, axes: tuple[int, ...]) -> Any:
        """Return the view with permuted axes; a number is its own."""
        if self.is_number:
            return self._apply("transpose", self)
        self._storage.check(self.told())
        return Tracer(self._storage, (*self._path, Permuted(axes)))

    def add_at(self, index: Any, value: Any) -> None:
        """Add at places, repeated ones again and again, as `numpy.add.at` does."""
        self._write(METHODS["add_at"](to_node(self.value), plain_index(index), to_node(value)))

    def fresh(self, value: Any) -> Any:
        """Return a value as a new array of the traced code."""
        return HOOKS["traced_result"](value, self._storage.name)

    def __setitem__(self, index: Any, value: Any) -> None:
        index = plain_index(index)
        if self.is_number:
            raise messages.not_writable(self.told())
        if is_mask(index):
            self._write(self._masked(index, value))
            return
        masked = masked_axes(index)
        if masked is not None:
            self[masked[2]]._write_masked(masked[0], masked[1], value)
            return
        basic = is_basic(index)
        if basic and self._is_own(value, index):
            return
        new = HOOKS["traced_value"](value, self.dtype)
        if basic:
            new = fitted(new, taken(self._likeness(), index))
        self._storage.write(self.told(), (*self._path, index), new)

    def _is_own(self, value: Any, index: Any) -> bool:
        """Is this what ``x[index] += y`` assigns: the view that was changed already?"""
        return type(value) is Tracer and value._storage is self._storage and value._path == (*self._path, index)

    def _write_masked(self, mask: Node, axis: int, value: Any) -> None:
        """Write a number where a mask of some axes, from a first one on, holds."""
        if np.ndim(HOOKS["traced_plain"](value)):
            raise messages.masked_selection("an assignment of an array to it")
        ones = (1,) * (self.ndim - axis - len(mask.shape))
        chosen = METHODS["reshape"](mask, (*mask.shape, *ones)) if ones else mask
        new = HOOKS["traced_value"](value, self.dtype)
        self._write(METHODS["where"](chosen, to_node(new), to_node(self.value)))

    def _masked(self, mask: Node, value: Any) -> Any:
        spread = getattr(value, "spread", None)
        if spread is not None:
            return under_mask(mask, to_node(HOOKS["traced_value"](spread(self, mask), self.dtype)), to_node(self.value))
        weak = type(value) in (int, float) and self.dtype.kind == "f"
        new = as_node(value) if weak else HOOKS["traced_value"](value, self.dtype)
        if len(new.shape) > self.ndim - len(mask.shape):
            raise messages.masked_selection("an assignment of an array to it")
        return under_mask(mask, new, to_node(self.value))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        size = self.shape[0]
        if isinstance(size, TracedSize):
            raise messages.symbolic_size(size, "len() or a loop")
        return int(size)

    # -- in place ---------------------------------------------------------------------------------

    def _write(self, value: Any) -> None:
        """Replace the contents by others of their shape and dtype."""
        self._storage.write(self.told(), self._path, HOOKS["traced_value"](value, self.dtype))

    def _in_place(self, symbol: str, name: str, other: Any) -> Any:
        result = self._apply(name, self, other)
        if self.is_number:
            return result
        self.store(result, symbol)
        return self

    def store(self, result: Any, symbol: str) -> None:
        """Write the result of an operation in place, under NumPy's rules for ``out=``.

        Raises:
            ShapeError: If it does not fit.
            DtypeError: If NumPy does not cast it back to the dtype of the array.
        """
        value = result.value if type(result) is Tracer else np.asarray(result)
        if tuple(value.shape) != tuple(self._likeness().shape):
            raise messages.in_place_shape(self.told(), value.shape, self._likeness().shape, symbol)
        if not np.can_cast(value.dtype, self.dtype, "same_kind"):
            raise messages.in_place_cast(self.told(), value.dtype, self.dtype, symbol)
        self._write(value)

    def __iadd__(self, other: Any) -> Any:
        return self._in_place("+=", "add", other)

    def __isub__(self, other: Any) -> Any:
        return self._in_place("-=", "subtract", other)

    def __imul__(self, other: Any) -> Any:
        return self._in_place("*=", "multiply", other)

    def __itruediv__(self, other: Any) -> Any:
        return self._in_place("/=", "divide", other)

    def __ifloordiv__(self, other: Any) -> Any:
        return self._in_place("//=", "floor_divide", other)

    def __imod__(self, other: Any) -> Any:
        return self._in_place("%=", "remainder", other)

    def __ipow__(self, other: Any) -> Any:  # type: ignore[misc,override]
        return self._in_place("**=", "power", other)

    def __imatmul__(self, other: Any) -> Any:
        return self._in_place("@=", "matmul", other)

    def __iand__(self, other: Any) -> Any:
        return self._in_place("&=", "bitwise_and", other)

    def __ior__(self, other: Any) -> Any:
        return self._in_place("|=", "bitwise_or", other)

    def __ixor__(self, other: Any) -> Any:
        return self._in_place("^=", "bitwise_xor", other)

    # -- values -----------------------------------------------------------------------------------

    def _known(self, kind: str) -> np.ndarray[Any, Any]:
        value = self.value
        if not isinstance(value, Node):
            return value
        size = product(value.shape)
        if isinstance(size, int) and size != 1 and kind != "list":
            raise messages.not_one_number(self.told(), kind, value.shape)
        raise messages.no_value(self.told(), kind)

    def __bool__(self) -> bool:
        if isinstance(self.value, Node):
            raise messages.branch(self.told())
        return bool(self.value)

    def __float__(self) -> float:
        return float(self._known("float"))

    def __int__(self) -> int:
        return int(self._known("int"))

    def __complex__(self) -> complex:
        return complex(self._known("complex"))

    def __index__(self) -> int:
        return int(self._known("integer").__index__())

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        value = self.value
        if isinstance(value, Node):
            raise no_array(value, METHODS, f"{self.told()} is traced and")
        given = np.array(value, dtype=dtype)
        given.flags.writeable = bool(copy)  # a write to this copy would be lost
        return given

    def item(self, *index: Any) -> Any:
        """Return a known entry as a Python number."""
        return self._known("item").item(*index)

    def tolist(self) -> Any:
        """Return known entries as Python numbers."""
        return self._known("list").tolist()

    def __repr__(self) -> str:
        return f"<traced {self.told()} {self.shape} {self.dtype}>"
