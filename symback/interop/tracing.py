"""`from_function`: an ordinary NumPy function is run once on arrays that record, and what it returns is a graph."""

import functools
import inspect
from collections.abc import Iterable, Mapping, Sequence
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import sympy

from symback.errors import tracing as messages
from symback.errors.kinds import SymbackError
from symback.errors.refusals import remembering
from symback.interop.naming import Names, codes_of, naming_locals
from symback.interop.rebind import Rebinding
from symback.interop.recording import argument, unwrapped
from symback.interop.storage import to_node
from symback.interop.tracer import Tracer
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.structure import Nested, leaves_of


def from_function(f: Any, *nodes: Nested, **keywords: Nested) -> Nested:
    """Run an ordinary NumPy function on nodes, and return what it returns as nodes, in the same structure.

    The code of `f` is run once, on arrays that record what is done to them, in-place changes and comparisons by ``==``
    too. Loops are unrolled; branches may depend on shapes and on arguments that are no nodes. Local variables of `f`
    give names to its expressions, numbered where a loop uses one again.

    Args:
        f: A Python function, method or lambda. Functions that it calls are traced too.
        *nodes: Nodes, SymPy symbols, lists, tuples and dicts of them. Arrays are constants; all else stays as it is.
        **keywords: Further arguments, by name.

    Returns:
        Nodes, in the structure in which `f` returns them.

    Raises:
        UsageError: If `f` branches on a traced value, writes into an argument, draws random numbers, or calls what
            symback has not; the message says what to write instead.

    Example:
        >>> import numpy as np
        >>> import symback as sb
        >>> def loss(W, x, y):
        ...     z = W @ x
        ...     return np.sum((np.tanh(z) - y) ** 2)
        >>> W, x, y = sb.tensor("W", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
        >>> print(sb.from_function(loss, W, x, y))
        z = W @ x
        sum('i->', (tanh(z) - y)*(tanh(z) - y))
    """
    return traced(f, nodes, keywords)


def traced(f: Any, nodes: Sequence[Any], keywords: Mapping[str, Any], boxed: Sequence[Node] = ()) -> Nested:
    """Run a function on nodes; those in `boxed` have no axes and are arrays all the same, no numbers.

    Raises:
        UsageError: See `from_function`; also if `f` caught such an error.
    """
    given = [leaf for leaf in leaves_of([list(nodes), dict(keywords)]) if isinstance(leaf, sympy.Basic)]
    names = Names([as_node(leaf) for leaf in given])
    rebinding = Rebinding(names)
    read = Arguments(rebinding, names, frozenset(boxed))
    arguments = [read(value) for value in nodes]
    options = {key: read(value) for key, value in keywords.items()}
    with rebinding.outside.unchanged(), remembering() as refusals:
        found = _nodes(_run(_traceable(f, rebinding), arguments, options))
        if refusals:
            raise messages.swallowed(refusals[0]) from refusals[0]
        return found


def _run(recording: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Call what records, with the names of its local variables."""
    with naming_locals(_codes(recording)):
        try:
            return recording(*arguments, **options)
        except (TypeError, ValueError) as error:  # NumPy puts its own words in the place of a proxy's refusal
            if isinstance(error.__cause__, SymbackError):
                raise error.__cause__ from None
            raise


def _traceable(f: Any, rebinding: Rebinding) -> Any:
    """Return the copy of a function that records.

    Raises:
        UsageError: If it is no function, or one that does not run when it is called.
    """
    plain = inspect.unwrap(f) if callable(f) else f
    if inspect.isgeneratorfunction(plain) or inspect.iscoroutinefunction(plain) or isinstance(f, type):
        raise messages.no_function(f)
    if isinstance(f, FunctionType):
        return rebinding.function(f)
    if isinstance(f, (MethodType, functools.partial, np.ufunc)) or hasattr(f, "__wrapped__"):
        return rebinding.convert(f)
    own = vars(type(f)).get("__call__")
    if isinstance(own, FunctionType):
        return rebinding.convert(MethodType(own, f))
    if not callable(f):
        raise messages.no_function(f)
    return rebinding.convert(f)


def _codes(f: Any) -> Iterable[CodeType]:
    """Return the code whose local variables give names: that of the function and of those defined in it."""
    while isinstance(f, functools.partial):
        f = f.func
    code = getattr(f, "__code__", None)
    return () if code is None else codes_of(code)


class Arguments:
    """Gives arguments as traced code sees them: arrays that belong to the caller; functions that record."""

    def __init__(self, rebinding: Rebinding, names: Names, boxed: frozenset[Node]) -> None:
        self._rebinding = rebinding
        self._names = names
        self._boxed = boxed

    def __call__(self, nested: Any) -> Any:
        """Return an argument, in its structure."""
        if isinstance(nested, tuple) and hasattr(nested, "_fields"):
            return type(nested)(*map(self, nested))
        if type(nested) in (list, tuple):
            return type(nested)(map(self, nested))
        if isinstance(nested, Mapping):
            return {key: self(item) for key, item in nested.items()}
        if isinstance(nested, sympy.Basic):
            node = as_node(nested)
            return argument(node, self._names, boxed=node in self._boxed)
        if type(nested) is np.ndarray:
            return argument(nested, self._names)
        return self._rebinding.convert(nested)


def _nodes(nested: Any) -> Any:
    """Return the results as nodes, in their structure."""
    if isinstance(nested, tuple) and hasattr(nested, "_fields"):
        return type(nested)(*map(_nodes, nested))
    if type(nested) in (list, tuple):
        return type(nested)(map(_nodes, nested))
    if type(nested) is dict:
        return {key: _nodes(value) for key, value in nested.items()}
    value = unwrapped(nested)
    if type(nested) is Tracer or isinstance(value, (Node, np.ndarray)):
        return to_node(value)
    if isinstance(value, (int, float, np.generic, sympy.Expr)):
        return as_node(value)
    raise messages.no_result(value)
