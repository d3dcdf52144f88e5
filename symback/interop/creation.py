"""NumPy's functions that make arrays, as traced code calls them: NumPy dispatches none of them by their arguments.

What they make can be written to, and hold traced values: `np.array` of traced values is a stack, `np.zeros` of a shape
with a symbolic size is an expression.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np
import sympy

from symback.errors import numpy as messages
from symback.interop.recording import assigned_value, has_proxy, stacked, unwrapped, wrapped
from symback.interop.storage import Name, Storage, to_node
from symback.interop.tracer import Tracer
from symback.nodes.node import METHODS, Node

Maker = Callable[[str, Sequence[Any], Mapping[str, Any]], Any]


def _bind(name: str, form: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Bind arguments to a form that has what is supported."""
    try:
        bound = signature(form).bind(*args, **{key: value for key, value in options.items() if value is not None})
    except TypeError as error:
        raise messages.not_supported_option(name, [str(error)]) from None
    bound.apply_defaults()
    return bound.arguments


_VALUES = {"zeros": 0, "empty": 0, "ones": 1}


def _filled(name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Make an array of one value: ``zeros``, ``ones``, ``empty``, ``full``."""
    if name == "full":
        given = _bind(name, lambda shape, fill_value, dtype=None, order="C": None, args, options)
    else:
        given = _bind(name, lambda shape, dtype=float, order="C": None, args, options)
    return _full(given["shape"], given.get("fill_value", _VALUES.get(name)), given["dtype"])


def _filled_like(name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Make an array of one value in the shape and dtype of another."""
    if name == "full_like":
        form: Any = lambda a, fill_value, dtype=None, order="K", subok=True, shape=None: None  # noqa: E731
    else:
        form = lambda a, dtype=None, order="K", subok=True, shape=None: None  # noqa: E731
    given = _bind(name, form, args, options)
    like = stacked(given["a"]) if type(given["a"]) in (list, tuple) else given["a"]
    like = like if hasattr(like, "dtype") else np.asarray(like)
    shape = like.shape if given["shape"] is None else given["shape"]
    value = given.get("fill_value", _VALUES.get(name.removesuffix("_like")))
    return _full(shape, value, given["dtype"] or like.dtype)


def _full(shape: Any, value: Any, dtype: Any) -> Any:
    shape, value = unwrapped(shape), assigned_value(value, None)
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    dtype = value.dtype if dtype is None else np.dtype(dtype)
    if not isinstance(value, Node) and not any(isinstance(size, sympy.Expr) for size in sizes):
        return np.full(shape, value.astype(dtype))
    number = value.item() if not isinstance(value, Node) and not value.ndim else value
    return METHODS["full"](tuple(sizes), number, dtype)


def _identity(name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Make an identity matrix."""
    given = _bind(name, lambda N, M=None, k=0, dtype=float: None, args, options)
    n, m = unwrapped(given["N"]), unwrapped(given["M"])
    if isinstance(n, sympy.Expr):
        if given["k"] != 0 or (m is not None and m != n):
            raise messages.not_supported_option(name, ["k= and M= with a symbolic size"])
        return METHODS["eye"](n, dtype=given["dtype"])
    return np.eye(n, m, given["k"], dtype=given["dtype"])


def _array(name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Make an array of what is given: of nested lists of traced values, a stack; of an array, perhaps itself."""
    form: Any = lambda a, dtype=None, order=None, ndmin=0, subok=False: None  # noqa: E731
    if name == "copy":
        form = lambda a, order=None, subok=False, dtype=None, ndmin=0: None  # noqa: E731
    renamed = {"a" if key == "object" else key: value for key, value in options.items()}
    copy = renamed.pop("copy", name == "array") or name == "copy"
    given = _bind(name, form, args, renamed)
    value, dtype = given["a"], given["dtype"]
    if name in _CONTIGUOUS:
        given.update(order="C", ndmin=1)
    if not copy and type(value) is Tracer and not value.is_number and dtype in (None, value.dtype):
        return _shared(name, value, given["order"] or "K", given["ndmin"])
    if options.get("copy") is False:
        raise messages.not_supported_option(name, ["copy=False of what is copied"])
    node = to_node(stacked(value) if type(value) in (list, tuple) else assigned_value(value, None))
    node = assigned_value(node, node.dtype if dtype is None else dtype)
    return METHODS["reshape"](node, (1,) * (given["ndmin"] - len(node.shape)) + node.shape) if given["ndmin"] else node


_CONTIGUOUS = frozenset({"ascontiguousarray", "asfortranarray"})
"""The functions that copy what is not contiguous, and give no array without axes."""


def _shared(name: str, value: Tracer, order: str, ndmin: int) -> Tracer:
    """Return an array that is not copied, unless (memory layout decides) to bring its entries into an order."""
    missing = ndmin - value.ndim
    view: Tracer = value[(*(None,) * missing, Ellipsis)] if missing > 0 else value
    if order in ("K", "A"):
        return view
    held = view.value
    return Tracer(Storage(held if isinstance(held, Node) else np.array(held), view.name(), view.family(), name))


_MAKERS: dict[str, Maker] = {
    **dict.fromkeys(("zeros", "ones", "empty", "full"), _filled),
    **dict.fromkeys(("zeros_like", "ones_like", "empty_like", "full_like"), _filled_like),
    **dict.fromkeys(("eye", "identity"), _identity),
    **dict.fromkeys(
        ("array", "asarray", "asanyarray", "copy", "ascontiguousarray", "asfortranarray", "asarray_chkfinite"), _array
    ),
}


def made(name: str, args: Sequence[Any], options: Mapping[str, Any], label: Name) -> Any:
    """Call a function that makes an array; None if this is none, or if the array does not depend on what is traced."""
    maker = _MAKERS.get(name)
    if maker is None or not has_proxy((list(args), dict(options))):
        return None
    found = maker(name, args, options)
    return found if type(found) is Tracer else wrapped(found, label, "array")
