"""What happens when traced code calls a function: known values are reckoned by NumPy, traced ones become nodes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import sympy

from symback.errors import numpy as numpy_messages
from symback.errors import tracing as messages
from symback.interop.sizes import TracedSize, traced_size
from symback.interop.storage import Family, Name, Storage, to_node
from symback.interop.tracer import Tracer
from symback.nodes.display import HOOKS
from symback.nodes.methods import ArrayMethods
from symback.nodes.node import METHODS, Node
from symback.nodes.protocols import method_call, qualified_name

VIEWS = frozenset({
    "transpose", "matrix_transpose", "swapaxes", "moveaxis", "rollaxis", "permute_dims", "reshape", "ravel", "squeeze",
    "expand_dims", "broadcast_to", "broadcast_arrays", "diagonal", "diag", "flip", "fliplr", "flipud", "rot90",
    "atleast_1d", "atleast_2d", "atleast_3d", "split", "array_split", "hsplit", "vsplit", "dsplit", "unstack", "real",
    "conj", "conjugate", "einsum", "ascontiguousarray", "asfortranarray", "require", "nan_to_num",
    "linalg.diagonal", "linalg.matrix_transpose", "linalg.matrix_power", "diff with n=0",
})  # fmt: skip
"""The functions whose result may share memory with their argument."""

_EACH = frozenset({"broadcast_arrays", "meshgrid", "atleast_1d", "atleast_2d", "atleast_3d"})
"""Those that give an array for each operand."""

_BOXED = frozenset({"where", "select", "broadcast_to", "tensordot", "i0", "array"})
"""The functions whose result without axes is an array in NumPy, which can be written to, and no number."""

_AS_GIVEN = frozenset({
    "copy", "real", "conj", "transpose", "matrix_transpose", "astype", "squeeze", "reshape", "moveaxis", "swapaxes",
})  # fmt: skip
"""The functions that give an array for an array without axes, and a number for a number."""

_ON_ARRAYS: dict[str, Callable[..., Any]] = {
    "astype": lambda x, dtype: x.astype(dtype),
    "copy": lambda x: x.copy(),
    "conj": lambda x: x.conj(),
    "getitem": lambda x, index: x[index],
}
"""What is called on known arrays where NumPy has no function of the name of the method."""


def traced_call(name: str, operands: Sequence[Any], options: Mapping[str, Any], label: Name) -> Any:
    """Call a function by the name of a method or operator."""
    selection = next((operand for operand in operands if type(operand) is Selection), None)
    if selection is not None:
        return selection.mapped(lambda *given: traced_call(name, given, options, label), name, operands)
    operands = [stacked(item) if _is_list_of_traced(item) else item for item in operands]
    plain, given = unwrapped(operands), unwrapped(dict(options))
    if is_traced((plain, given)):
        result = method_call(name, plain, given)
    else:
        result = (_ON_ARRAYS.get(name) or getattr(np, name))(*plain, **given)
    return wrapped(result, label, name, operands)


def wrapped(value: Any, label: Name, function: str = "", operands: Sequence[Any] = ()) -> Any:
    """Return a result as traced code sees it; one that may share memory with an operand is of its family."""
    if isinstance(value, Node):
        return _new(value, label, function, operands, is_number=not value.shape and function not in _BOXED)
    if type(value) is np.ndarray:
        return _new(value, label, function, operands, is_number=False)
    if isinstance(value, (tuple, list)):
        each = [(item,) for item in operands] if function in _EACH and len(operands) > 1 else [operands] * len(value)
        items = [wrapped(item, label, function, own) for item, own in zip(value, each, strict=True)]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, sympy.Expr):
        return traced_size(value, lambda name, *given: traced_call(name, given, {}, label))
    return value


def _new(value: Any, label: Name, function: str, operands: Sequence[Any], *, is_number: bool) -> Tracer:
    sources = [operand for operand in _leaves(list(operands)) if type(operand) is Tracer]
    shared = next((source for source in sources if _may_share(value, source, function, len(sources))), None)
    if function in _AS_GIVEN and sources:
        is_number = is_number and sources[0].is_number
    held = np.array(value) if isinstance(value, np.ndarray) else value
    return Tracer(Storage(held, label, None if shared is None else shared.family(), function), is_number=is_number)


def _may_share(value: Any, source: Tracer, function: str, count: int) -> bool:
    """May a result share memory with an operand? Of known arrays NumPy knows; of traced ones the function tells."""
    if source.is_number:
        return False
    if isinstance(value, np.ndarray) and np.may_share_memory(value, unwrapped(source)):
        return True
    return function in VIEWS and (function != "einsum" or count == 1)


def _is_list_of_traced(value: Any) -> bool:
    """Is this a list in place of an array, with entries of arrays in it?"""
    return type(value) in (list, tuple) and any(type(leaf) is Tracer for leaf in _leaves(value))


def unwrapped(nested: Any) -> Any:
    """Return arguments without proxies: arrays where they are known, nodes where they are traced, sizes."""
    if type(nested) is Tracer:
        return nested.value
    if type(nested) is TracedSize:
        return nested.size
    if type(nested) is Selection:
        nested.refuse("an argument of a function")
    if type(nested) in (tuple, list):
        return type(nested)(unwrapped(item) for item in nested)
    if type(nested) is dict:
        return {key: unwrapped(value) for key, value in nested.items()}
    return nested


def _leaves(nested: Any) -> Iterator[Any]:
    if type(nested) in (tuple, list):
        for item in nested:
            yield from _leaves(item)
    elif type(nested) is dict:
        yield from _leaves(list(nested.values()))
    else:
        yield nested


def is_traced(nested: Any) -> bool:
    """Does an argument depend on what is traced?"""
    return any(isinstance(leaf, (Node, sympy.Expr)) for leaf in _leaves(nested))


def has_node(nested: Any) -> bool:
    """Is there a node among nested values?"""
    return any(isinstance(leaf, Node) for leaf in _leaves(nested))


def has_proxy(nested: Any) -> bool:
    """Is there a proxy among the arguments?"""
    return any(type(leaf) in (Tracer, TracedSize, Selection) for leaf in _leaves(nested))


def stacked(nested: Any) -> Any:
    """Return nested lists of values as one array: a node if a value is traced, with NumPy's dtype for the list."""
    plain = unwrapped(nested)
    if not is_traced(plain):
        return np.array(plain)
    return _cast(_stack(plain), np.array(_likeness(plain)).dtype)


def _stack(nested: Any) -> Node:
    if not isinstance(nested, (tuple, list)):
        return to_node(nested)
    rows = [_stack(item) for item in nested]
    dtype = np.result_type(*[row.dtype for row in rows])
    found: Node = METHODS["stack"]([_cast(row, dtype) for row in rows])
    return found


def _likeness(nested: Any) -> Any:
    """Return the list with a small value of its dtype for each leaf."""
    if isinstance(nested, (tuple, list)):
        return _likeness(nested[0]) if not nested else np.result_type(*[_kind(item) for item in nested]).type(0)
    return nested


def _kind(item: Any) -> Any:
    if isinstance(item, (tuple, list)):
        return np.asarray(_likeness(item)).dtype
    return item.dtype if isinstance(item, Node) else np.asarray(item).dtype


def _cast(node: Node, dtype: Any) -> Node:
    cast: Node = node if node.dtype == dtype and not node.is_weak else METHODS["astype"](node, dtype)
    return cast


def assigned_value(value: Any, dtype: Any) -> Any:
    """Return what an assignment writes: an array or a node, cast to a dtype as NumPy casts in assignments."""
    if type(value) in (list, tuple):
        value = stacked(value)
    value = unwrapped(value)
    if isinstance(value, sympy.Expr):
        value = METHODS["add"](value, 0)
    if isinstance(value, Node):
        return value if dtype is None else _cast(value, dtype)
    return np.asarray(value) if dtype is None else np.asarray(value).astype(dtype)


# -- NumPy's protocols on proxies ------------------------------------------------------------------------


def traced_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], options: Mapping[str, Any], label: Name) -> Any:
    """Answer a ufunc on proxies; ``out=`` and ``ufunc.at`` are writes."""
    name = qualified_name(ufunc)[1]
    if method == "at":
        return _at(name, *inputs)
    options = dict(options)
    out, mask = options.pop("out", None), options.pop("where", True)
    if method == "__call__" and len(inputs) > ufunc.nin:
        inputs, out = inputs[: ufunc.nin], tuple(inputs[ufunc.nin :])
    if type(out) is tuple:
        if len(out) > 1:
            raise numpy_messages.not_supported_option(name, ["out= of several arrays"])
        (out,) = out
    selection = next((operand for operand in inputs if type(operand) is Selection), None)
    inputs = [stacked(item) if type(item) in (list, tuple) and has_proxy(item) else item for item in inputs]
    if selection is not None:
        if method != "__call__" or ufunc.signature is not None or out is not None:
            selection.refuse(f"numpy.{name}")
        call = lambda *given: traced_ufunc(ufunc, method, given, options, label)  # noqa: E731
        return selection.mapped(call, name, inputs)
    if mask is not True and method == "__call__":
        if type(out) is not Tracer:
            raise numpy_messages.not_supported_option(name, ["where= without out="])
        result = traced_ufunc(ufunc, method, [_guarded(mask, item, label) for item in inputs], options, label)
        result = traced_call("where", (mask, result, out), {}, label)
        return written_out(out, result, name)
    if mask is not True:
        options["where"] = mask
    plain, given = unwrapped(inputs), unwrapped(options)
    if is_traced((plain, given)):
        result = wrapped(HOOKS["ufunc"](ufunc, method, plain, given), label, name, inputs)
    else:
        result = wrapped(getattr(ufunc, method)(*plain, **given), label, name, inputs)
    return result if out is None else written_out(out, result, name)


def _guarded(mask: Any, operand: Any, label: Name) -> Any:
    """Return an operand with ones where it is not used, so that what is infinite there has no derivative either."""
    return traced_call("where", (mask, operand, 1), {}, label)


def written_out(out: Any, result: Any, name: str) -> Any:
    """Write a result to the array given by ``out=``."""
    if type(out) is not Tracer or out.is_number:
        raise messages.outside_array(f"numpy.{name} with out=")
    out.store(result, f"numpy.{name} with out=")
    return out


def _at(name: str, target: Any, index: Any, *values: Any) -> None:
    """Record `numpy.add.at`: entries are added at places, repeated ones again and again."""
    if name not in ("add", "subtract") or len(values) != 1:
        raise numpy_messages.not_supported_numpy(f"{name}.at")
    if type(target) is not Tracer or target.is_number:
        raise messages.outside_array(f"numpy.{name}.at")
    value = assigned_value(values[0], None)
    if not np.can_cast(value.dtype, target.dtype, "same_kind") and np.ndim(values[0]):
        raise messages.in_place_cast(target.told(), value.dtype, target.dtype, f"numpy.{name}.at")
    value = assigned_value(value, target.dtype)
    value = value if name == "add" else -value
    target.add_at(index, value)


def traced_function(function: Any, args: Sequence[Any], options: Mapping[str, Any], label: Name) -> Any:
    """Answer a function of NumPy on proxies; ``out=`` is a write."""
    library, name = qualified_name(function)
    return HOOKS["traced_named"](library, name, function, args, options, label)


# -- entries under a mask -------------------------------------------------------------------------------------


class Selection(ArrayMethods[Any]):
    """The entries of an array under a traced mask: of unknown number, so only good for assigning to the same mask."""

    __slots__ = ("_base", "_mask", "_value")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 3000

    def __init__(self, base: Tracer, mask: Node, value: Any = None) -> None:
        self._base = base
        self._mask = mask
        self._value = base.value if value is None else value

    def refuse(self, use: str) -> NoReturn:
        """Raise the error that says what entries under a mask are good for."""
        raise messages.masked_selection(use)

    def mapped(self, call: Callable[..., Any], name: str, operands: Sequence[Any]) -> "Selection":
        """Apply a function entry by entry, to the whole array; what is not under the mask is dropped later."""
        if name not in METHODS or name in ("matmul", "getitem", "sum", "mean", "max", "min", "any", "all", "prod"):
            self.refuse(name)
        given = []
        for operand in operands:
            if type(operand) is Selection and operand._mask is self._mask:
                given.append(self._base.fresh(operand._value))
            elif type(operand) is Selection or np.ndim(unwrapped(operand) if not isinstance(operand, Node) else 0):
                self.refuse(f"{name} with another array")
            else:
                given.append(operand)
        return Selection(self._base, self._mask, call(*given).value)

    def spread(self, target: Tracer, mask: Node) -> Any:
        """Return the whole array that is written where the mask holds."""
        if mask is not self._mask or tuple(target.value.shape) != tuple(self._value.shape):
            self.refuse("an assignment under another mask")
        return self._value

    def _apply(self, name: str, *operands: Any, **options: Any) -> Any:
        if any(value is not None and value is not False for value in options.values()):
            self.refuse(name)
        return traced_call(name, operands, {}, self._base.name())

    def _refuse(self, name: str, cure: str) -> NoReturn:
        self.refuse(name)

    def __eq__(self, other: object) -> Any:
        return self._apply("equal", self, other)

    def __ne__(self, other: object) -> Any:
        return self._apply("not_equal", self, other)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return traced_ufunc(ufunc, method, inputs, options, self._base.name())

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> NoReturn:
        self.refuse(f"numpy.{function.__name__}")

    def _no_value(self, *unused: Any, **options: Any) -> NoReturn:
        self.refuse("a value, a size or an index")

    __array__ = __bool__ = __float__ = __int__ = __index__ = __len__ = __iter__ = __getitem__ = _no_value
    shape = property(_no_value)
    ndim = property(_no_value)


def argument(value: Any, label: Name, *, boxed: bool = False) -> Tracer:
    """Return what an argument of the traced function is: an array that belongs to the caller, or a number."""
    held = value if isinstance(value, Node) else np.array(value)
    is_number = isinstance(value, Node) and not value.shape and not boxed
    return Tracer(Storage(held, label, Family(argument=True), "the caller"), is_number=is_number)


HOOKS.update(
    traced_call=traced_call, traced_plain=unwrapped, traced_result=wrapped, traced_value=assigned_value,
    traced_ufunc=traced_ufunc, traced_function=traced_function, selection=Selection,
)  # fmt: skip
