"""`function`: an ordinary NumPy function that is traced when it is called, compiled, and has derivatives."""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.codegen.function import CompiledFunction, compile_function
from symback.derive import curvature, higher, stable
from symback.errors import tracing as messages
from symback.graph import toposort
from symback.interop.arguments import Arguments, filled
from symback.interop.tracing import from_function, traced
from symback.interop.vectors import fitting
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable, as_node, variable
from symback.nodes.node import Node
from symback.rewrite.settle import settle
from symback.structure import Nested, leaves_as_in, leaves_of, refill

Key = tuple[Any, ...]


def function(f: Callable[..., Any] | None = None, *, static: str | Sequence[str] = ()) -> Any:
    """Make a NumPy function one that is traced and compiled, and that has derivatives.

    The first call with arrays of given shapes and dtypes traces the function (see `from_function`), compiles the
    graph and keeps it; later ones run the compiled code. Arrays, NumPy's floats and Python floats are inputs, also in
    lists, tuples and dicts; integers, booleans, strings and None are static: for each value the function is traced
    anew. Global variables, and those of enclosing functions, have the values of the first call.

    Args:
        f: A function. Without it, a decorator is returned.
        static: Names of further parameters that are static; their values must be hashable.

    Returns:
        The function, with `grad`, `value_and_grad`, `jacobian`, `hessian`, `hvp` and `trace`: see `Function`.

    Raises:
        InputError: If `static` names no parameter.

    Example:
        >>> import numpy as np
        >>> import symback as sb
        >>> @sb.function
        ... def loss(w, x):
        ...     return np.sum((w * x) ** 2)
        >>> w, x = np.array([1.0, 2.0]), np.array([3.0, 1.0])
        >>> float(loss(w, x))
        13.0
        >>> loss.grad(w, x, wrt="w")
        array([18.,  4.])
    """
    names = (static,) if isinstance(static, str) else tuple(static)
    return Function(f, names) if f is not None else lambda g: Function(g, names)


class Function:
    """A function that is traced and compiled for the shapes and dtypes it is called with.

    Every method takes the arguments of the function. `wrt` is the name of a parameter, or a list or tuple of names;
    None stands for every parameter that holds float arrays, or if there is none, for those that hold Python floats.
    A parameter that is a list, tuple or dict of arrays has a derivative of the same structure.
    """

    def __init__(self, f: Callable[..., Any], static: tuple[str, ...] = ()) -> None:
        functools.update_wrapper(self, f)
        self._function = f
        self._signature = inspect.signature(f)
        for name in static:
            if name not in self._signature.parameters:
                raise messages.bad_static(name, list(self._signature.parameters))
        self._static = frozenset(static)
        self._traces: dict[Key, Trace] = {}
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Return the value, in the structure in which the function returns it."""
        if any(isinstance(leaf, sympy.Basic) for leaf in leaves_of([list(args), named])):
            return from_function(self._function, *args, **named)
        trace, values = self._trace(args, named)
        return trace.run("value", None, values)

    def grad(self, *args: Any, wrt: Any = None, **named: Any) -> Any:
        """Return the gradient of the scalar that the function returns.

        Returns:
            For one name an array, or the structure of the argument; for a list or tuple of names, that of those; for
            None, the only gradient there is, or a dict of them by name. With None, an argument that the value does not
            depend on has zeros; by name, it is an error.

        Raises:
            DerivativeError: If the value is no scalar, or does not depend on an argument that `wrt` names.
            DtypeError: If an argument is no float array.
            InputError: If a name is no parameter.
        """
        trace, values = self._trace(args, named)
        return trace.run("grad", wrt, values)

    def value_and_grad(self, *args: Any, wrt: Any = None, **named: Any) -> tuple[Any, Any]:
        """Return the value and the gradient; the forward half is computed once. See `grad`."""
        trace, values = self._trace(args, named)
        value, gradient = trace.run("value_and_grad", wrt, values)
        return value, gradient

    def jacobian(self, *args: Any, wrt: Any = None, **named: Any) -> Any:
        """Return the derivative of the array that the function returns: of shape value.shape + argument.shape.

        See `grad`.
        """
        trace, values = self._trace(args, named)
        return trace.run("jacobian", wrt, values)

    def hessian(self, *args: Any, wrt: Any = None, **named: Any) -> Any:
        """Return the second derivatives: for one array one of shape argument.shape + argument.shape, else blocks.

        Blocks stand in the structure of `wrt` within the structure of `wrt`. See `grad`.
        """
        trace, values = self._trace(args, named)
        return trace.run("hessian", wrt, values)

    def hvp(self, *args: Any, vectors: Any, wrt: Any = None, **named: Any) -> Any:
        """Return the product of the Hessian with vectors, without the Hessian: one for each of `wrt`, in its structure.

        The vectors have the shapes and the structure of what `grad` returns. See `grad`.

        Raises:
            DerivativeError: If the value is no scalar, or does not depend on an argument that `wrt` names.
            InputError: If the vectors are nested otherwise than the arguments; the message says where.
            ShapeError: If a vector has another shape than its argument.
            DtypeError: If a vector does not go into the dtype of its argument without loss.
        """
        trace, values = self._trace(args, named)
        return trace.run("hvp", wrt, [*values, *trace.vectors(wrt, vectors)])

    def emitted_call(self, args: Sequence[Any], named: dict[str, Any], what: str = "value") -> tuple[Any, Any, Any]:
        """Return what a call of the function, or of a method, ends in: the emitted function, and its arguments."""
        named = dict(named)
        wrt, vectors = named.pop("wrt", None) if what != "value" else None, None
        if what == "hvp":
            vectors = named.pop("vectors")
        trace, values = self._trace(args, named)
        values = [*values, *trace.vectors(wrt, vectors)] if what == "hvp" else values
        return trace.compiled(what, wrt).emitted_call(values, {})

    def trace(self, *args: Any, **named: Any) -> "Trace":
        """Return the graph for the shapes and dtypes of these arguments."""
        return self._trace(args, named)[0]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        raise messages.method(self._function.__qualname__)

    def __repr__(self) -> str:
        return f"<symback function {self._function.__qualname__}{self._signature}>"

    def _trace(self, args: Sequence[Any], named: dict[str, Any]) -> tuple["Trace", list[Any]]:
        """Return the trace for arguments, and the arrays among them."""
        bound = self._signature.bind(*args, **named)
        bound.apply_defaults()
        reader = Arguments(self._static)
        given = {name: reader.read(name, value, name in self._static) for name, value in bound.arguments.items()}
        key = (*given.values(), *reader.kinds, tuple(sorted(reader.boxed)))
        with self._lock:
            found = self._traces.get(key)
            if found is None:
                found = self._traces[key] = Trace(self._function, bound, reader)
        return found, reader.values


class Trace:
    """The graph of a function for arrays of given shapes and dtypes.

    Attributes:
        inputs: The variables, in the order of the arguments; those of a list or dict are called ``W_0``, ``params_b``.
        outputs: Nodes, in the structure in which the function returns its values.
    """

    def __init__(self, f: Callable[..., Any], bound: inspect.BoundArguments, reader: Arguments) -> None:
        self.inputs = [
            variable(own, shape, dtype) for own, (_, shape, dtype) in zip(reader.names, reader.kinds, strict=True)
        ]
        self._numbers = reader.numbers
        self._name = f.__name__ if hasattr(f, "__name__") else "f"
        self._static = reader.taken - set(reader.names)
        pending = iter(self.inputs)
        self._arguments = {name: self._nodes(name, value, pending) for name, value in bound.arguments.items()}
        given = inspect.BoundArguments(bound.signature, self._arguments)
        boxed = [self.inputs[place] for place in sorted(reader.boxed)]
        self.outputs = traced(f, given.args, given.kwargs, boxed)
        self._compiled: dict[Any, CompiledFunction] = {}

    def _nodes(self, name: str, value: Any, pending: Iterator[Variable]) -> Any:
        """Return an argument with variables in the place of its arrays."""
        return value if name in self._static else filled(value, pending)

    def run(self, what: str, wrt: Any, values: Sequence[Any]) -> Any:
        """Compile what is asked for, unless it is there, and evaluate it."""
        return self.compiled(what, wrt)(*values)

    def compiled(self, what: str, wrt: Any) -> CompiledFunction:
        """Compile what is asked for, unless it is there."""
        key = what, tuple(wrt) if isinstance(wrt, list) else wrt, type(wrt)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = self.compile(what, wrt)
        return compiled

    def compile(self, what: str = "value", wrt: Any = None) -> CompiledFunction:
        """Emit the value, or a derivative: ``"grad"``, ``"value_and_grad"``, ``"jacobian"``, ``"hessian"``, ``"hvp"``.

        The function of a Hessian-vector product takes the vectors behind the arguments.
        """
        outputs = self.outputs if what == "value" else self._derivative(what, wrt)
        nodes, explanation = settle(leaves_of(outputs))
        outputs = refill(outputs, nodes)
        inputs = (
            [*self.inputs, *self._tangents(leaves_of(self._variables(what, wrt)))] if what == "hvp" else self.inputs
        )
        name = self._name if what == "value" else f"{self._name}_{_SUFFIXES[what]}"
        try:
            return compile_function(inputs, outputs, name=name, check=False, explanation=explanation)
        except errors.InvalidNameError:
            return compile_function(inputs, outputs, check=False, explanation=explanation)

    def source(self, what: str = "value", *, wrt: Any = None) -> str:
        """Return the emitted code of the value, or of a derivative. See `compile`."""
        return self.compile(what, wrt).source

    def _derivative(self, what: str, wrt: Any) -> Nested:
        output = self.outputs
        if not isinstance(output, Node):
            raise errors.not_one_node(what, output)
        template = self._variables(what, wrt)
        variables = leaves_of(template)
        disconnected = "zero" if wrt is None else "error"
        if what == "hvp":
            vectors = self._tangents(variables)
            return refill(template, curvature.hvp(output, variables, vectors, disconnected=disconnected))
        if what == "hessian":
            rows = higher.hessian(output, variables, disconnected=disconnected)
            return refill(template, [refill(template, row) for row in rows])
        derive = higher.jacobian if what == "jacobian" else stable.grad
        found = refill(template, derive(output, variables, disconnected=disconnected))
        return (output, found) if what == "value_and_grad" else found

    def vectors(self, wrt: Any, given: Nested) -> list[Any]:
        """Return the vectors of a Hessian-vector product as the compiled function takes them."""
        template = self._variables("hvp", wrt)
        found = leaves_as_in(template, given, operation="hvp", what="variables")
        pairs = list(zip(leaves_of(template), found, strict=True))
        for own, vector in pairs:
            fitting("hvp", own, as_node(vector))
        return [np.asarray(vector).astype(own.dtype)[()] for own, vector in pairs]

    def _tangents(self, variables: Sequence[Variable]) -> list[Variable]:
        """Return a variable for the vector of each variable, with names that the graph does not have."""
        graph = toposort([*self.inputs, *leaves_of(self.outputs)])
        taken = {node.name for node in graph if isinstance(node, (Variable, Named))}
        found = []
        for x in variables:
            name = f"v_{x.name}"
            while name in taken:
                name = f"v_{name}"
            taken.add(name)
            found.append(variable(name, x.shape, x.dtype))
        return found

    def _variables(self, what: str, wrt: Any) -> Nested:
        """Return the variables that a derivative is by, in the structure that it has."""
        floats = [name for name, value in self._arguments.items() if any(map(_is_float, leaves_of(value)))]
        if wrt is None:
            if not floats:
                raise messages.no_float_argument(what)
            names = [name for name in floats if any(map(self._is_array, leaves_of(self._arguments[name])))] or floats
            found = {name: self._checked(what, name, floats) for name in names}
            return found if len(found) > 1 else found[names[0]]
        if isinstance(wrt, (list, tuple)):
            if not wrt:
                raise errors.no_variables(what)
            return type(wrt)([self._checked(what, name, floats) for name in wrt])
        return self._checked(what, wrt, floats)

    def _is_array(self, leaf: Any) -> bool:
        return _is_float(leaf) and leaf.name not in self._numbers

    def _checked(self, what: str, name: Any, floats: list[str]) -> Nested:
        if not isinstance(name, str) or name not in self._arguments:
            raise messages.unknown_argument(what, name, floats)
        for leaf in leaves_of(self._arguments[name]):
            if not _is_float(leaf):
                kind = leaf.dtype if isinstance(leaf, Node) else type(leaf).__name__
                raise messages.not_a_float_argument(what, name, kind)
        return self._arguments[name]

    def __repr__(self) -> str:
        return self.source()


_SUFFIXES = {
    "grad": "gradient",
    "value_and_grad": "and_gradient",
    "jacobian": "jacobian",
    "hessian": "hessian",
    "hvp": "hessian_product",
}


def _is_float(leaf: Any) -> bool:
    return isinstance(leaf, Variable) and leaf.dtype.kind == "f"
