"""`objective`: a loss and its derivatives as functions of one vector, as optimisers want them."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from symback import errors
from symback.codegen.bound import Functions, checked_functions
from symback.codegen.function import CompiledFunction, compile_function
from symback.codegen.passes.contraction import size_hints
from symback.derive import forward, higher, reverse, stable
from symback.errors import objectives as messages
from symback.graph import replaced, toposort
from symback.interop.symbolic.conversion import Conversion
from symback.nodes.apply import Named
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.node import Node, Param
from symback.nodes.shapes import as_shape, integer_of, size_symbols
from symback.nodes.substitute import substitute
from symback.objective.evaluation import Objective, Problem
from symback.objective.parameters import Sizes, Unrolled, known
from symback.objective.points import Link
from symback.objective.staging import staged
from symback.objective.unrolling import joined, parts, square, vector_for
from symback.rewrite.settle import settle
from symback.rewrite.stability import stabilise
from symback.structure import Nested, leaves_of


def objective(
    loss: Any, params: Nested, data: Mapping[Any, Any] | None = None, *, sizes: Mapping[str, int] | None = None,
    copy: bool = True, style: str = "readable", memory_limit: int | None = None,
    functions: Mapping[str, Any] | None = None,
) -> Objective:  # fmt: skip
    """Make a loss a function of one vector, with gradient, Hessian and products, as `scipy.optimize.minimize` wants it.

    The parameters are laid end to end in the order of `params`, each in row-major order. All is compiled when needed.

    Args:
        loss: A node of shape () and a float dtype, or a scalar SymPy expression.
        params: The variables to optimise, or their names: one, or a list, tuple or dict of them.
        data: From the other variables, or their names, to arrays. Extra ones are accepted and checked.
        sizes: Numbers for symbolic sizes that no data have; without them, the first values that are packed tell.
        copy: Keep a copy of the data; if False, they must not be written to.
        style: ``"readable"`` or ``"fast"``: how code is emitted, as for `lambdify`.
        memory_limit: How many bytes a dense Hessian may take; by default, what the machine has.
        functions: What undefined functions are, ``{"f": (f, df, d2f)}``, as for `lambdify`.

    Raises:
        InputError: If the loss depends on what is neither parameter nor data, or an array has a wrong shape.
        DerivativeError: If the loss is not scalar.
        DtypeError: If a parameter is not real-valued, or data would lose by conversion.

    Example:
        >>> import symback as sb
        >>> X, y, w = sb.tensor("X", ("N", "d")), sb.tensor("y", ("N",)), sb.tensor("w", ("d",))
        >>> loss = sb.sum((X @ w - y) ** 2) / 2 + w @ w / 2
        >>> f = sb.objective(loss, w, {"X": [[1.0, 0.0], [1.0, 1.0]], "y": [1.0, 3.0]})
        >>> f.jac([1.0, 0.0]), f.hessp([1.0, 0.0], [0.0, 1.0])
        (array([-1., -2.]), array([1., 2.]))
    """
    _check_options(style=(style, ("readable", "fast")), copy=(copy, (True, False)))
    options = style, _limit(memory_limit), checked_functions(functions, "objective")
    inside, problem, values = _problem(loss, params, {} if data is None else data, *options)
    hints = size_hints("objective", sizes, [*inside, *problem.data])
    start: Sizes = {name: (size, "sizes") for name, size in hints.items()}
    return Objective(problem, EmittedFunctions, values, start, copy)


def _check_options(**given: tuple[object, tuple[object, ...]]) -> None:
    for option, (value, allowed) in given.items():
        if value not in allowed:
            raise errors.bad_option("objective", option, value, allowed)


def _limit(memory_limit: Any) -> int | None:
    limit = integer_of(memory_limit)
    if memory_limit is not None and (limit is None or limit < 1):
        raise errors.bad_memory_limit("objective", memory_limit)
    return limit


def _problem(
    loss: Any, params: Nested, data: Any, style: str, memory_limit: int | None, functions: Functions
) -> tuple[list[Variable], Problem, list[Any]]:
    """Return the variables of a loss, the problem, and values for the variables among its data."""
    given = Conversion(loss)
    params = given.arguments(params)
    node = given.loss("objective", loss)
    inside = {leaf.name: leaf for leaf in toposort([node]) if isinstance(leaf, Variable)}
    parameters = _parameters(node, params, inside, given)
    values = _data(data, inside, given)
    problem = Problem(node, params, tuple(parameters), tuple(values), style, memory_limit, functions)
    _check_coverage(problem, inside)
    return list(inside.values()), problem, list(values.values())


def _parameters(loss: Node, params: Nested, inside: Mapping[str, Variable], given: Conversion) -> list[Variable]:
    """Return the parameters as variables of the loss."""
    leaves = leaves_of(params)
    if not leaves:
        raise errors.no_variables("objective")
    found: list[Variable] = []
    for leaf in leaves:
        if isinstance(leaf, str) and leaf not in inside:
            raise errors.unknown_binding("objective", leaf, sorted(inside))
        (node,) = [inside[leaf]] if isinstance(leaf, str) else given.nodes(leaf)
        if not isinstance(node, Variable):
            raise messages.no_parameter(node)
        if node in found:
            raise messages.parameter_twice(node.name)
        found.append(node)
    if loss.shape != ():
        raise errors.not_scalar("objective", loss)
    for node in found:
        if inside.get(node.name) is not node:
            raise messages.unused_parameter(node)
    reverse.check_loss(loss, found, "error")
    return found


def _data(data: Any, inside: Mapping[str, Variable], given: Conversion) -> dict[Variable, Any]:
    """Return the data by variable."""
    if not isinstance(data, Mapping):
        raise errors.no_bindings("objective", data)
    found: dict[Variable, Any] = {}
    for key, value in data.items():
        if isinstance(key, str) and key not in inside:
            raise errors.unknown_binding("objective", key, sorted(inside))
        (node,) = [inside[key]] if isinstance(key, str) else given.nodes(key)
        if not isinstance(node, Variable):
            raise messages.no_data_variable(node)
        found[node] = value
    return found


def _check_coverage(problem: Problem, inside: Mapping[str, Variable]) -> None:
    """Refuse variables that are both parameter and data, or neither."""
    for node in problem.data:
        if node in problem.parameters:
            raise messages.parameter_and_data(node.name)
    given = {*problem.parameters, *problem.data}
    missing = [node for node in inside.values() if node not in given]
    if missing:
        raise messages.no_value(missing)


class EmittedFunctions:
    """The functions of a problem, emitted for parameters of known sizes; each is compiled when it is first asked for.

    Attributes:
        unrolled: The parameters in one vector.
        fixed: The sizes of parameters, which no data can change.
        with_products: Have products with the Hessian been asked for?
    """

    def __init__(self, problem: Problem, sizes: Sizes) -> None:
        own = {symbol.name for node in problem.parameters for size in node.shape for symbol in size_symbols(size)}
        self.fixed: Sizes = {name: sizes[name] for name in sizes if name in own}
        self.with_products = False
        (self._loss,) = _resized([problem.loss], self.fixed)
        self._parameters = _sized(problem.parameters, self.fixed)
        self._data = _sized(problem.data, self.fixed)
        self.unrolled = Unrolled(self._parameters)
        self._style, self._given = problem.style, problem.functions
        self._hints = {name: size for name, (size, _) in sizes.items() if name not in own}
        taken = _names_in([self._loss, *self._parameters, *self._data])
        self._theta = vector_for(self.unrolled, taken, "theta", r"\theta")
        self._direction = vector_for(self.unrolled, taken, "p", "p")
        self._of_theta = dict(zip(self._parameters, parts(self.unrolled, self._theta), strict=True))

    @cached_property
    def value_and_gradient(self) -> CompiledFunction:
        """Of the vector and the data."""
        loss, gradient = self._settled([self._loss, self._gradient])
        return self._compiled("fun_and_jac", [self._theta], (loss, gradient))

    @cached_property
    def second(self) -> CompiledFunction:
        """The Hessian, of the vector and the data."""
        blocks = higher.hessian(self._loss, self._parameters, disconnected="zero", hints=self._hints)
        (matrix,) = self._settled([_called("H", "H", "tangent", square(self.unrolled, blocks))])
        return self._compiled("hess", [self._theta], matrix)

    @cached_property
    def chain(self) -> tuple[Link, ...]:
        """Value and gradient."""
        return self._chain([self._loss, self._gradient], ["fun", "jac"])

    @cached_property
    def chain_with_products(self) -> tuple[Link, ...]:
        """Value, gradient and product; the gradient computes besides what all products at one vector need."""
        slopes = stabilise(self._gradients, self._parameters)
        along = parts(self.unrolled, self._direction, "p_")
        pushed = forward.jvp(slopes, self._parameters, along, disconnected="zero")
        product = _called("Hp", "H p", "tangent", joined(self.unrolled, pushed))
        return self._chain([self._loss, self._gradient, product], ["fun", "jac", "hessp"])

    @cached_property
    def _gradients(self) -> list[Node]:
        return stable.grad(self._loss, self._parameters)

    @property
    def _gradient(self) -> Node:
        look = r"\frac{\partial \mathcal{L}}{\partial \theta}"
        return _called(f"d_{self._theta.name}", look, "adjoint", joined(self.unrolled, self._gradients))

    def _chain(self, results: list[Node], names: list[str]) -> tuple[Link, ...]:
        last = [self._direction] if len(results) > 2 else []
        taken = {variable.name for variable in (self._theta, self._direction, *self._data)}
        links = []
        for stage, name in zip(staged(self._settled(results), last, self._hints, taken), names, strict=True):
            inputs = [self._theta, *(last if name == "hessp" else ()), *stage.wants]
            code = self._compiled(name, inputs, (stage.result, *stage.keeps), (stage.result, *stage.kept))
            links.append(Link(code, tuple(v.name for v in stage.wants), tuple(v.name for v in stage.kept)))
        return tuple(links)

    def _settled(self, nodes: list[Node]) -> list[Node]:
        """Return the nodes as they are emitted, as functions of the vector."""
        new = replaced(nodes, self._of_theta)
        return settle([new[node] for node in nodes])[0]

    def _compiled(
        self, name: str, inputs: list[Variable], outputs: Nested, written: Nested | None = None
    ) -> CompiledFunction:
        options: dict[str, Any] = {"style": self._style, "sizes": self._hints, "written": written,
                                   "functions": self._given, "operation": "objective"}  # fmt: skip
        return compile_function([*inputs, *self._data], outputs, name=name, check=False, **options)


def _called(name: str, latex: str, kind: str, node: Node) -> Node:
    return Named(Label(name, latex, kind), node) if node.operands else node


def _names_in(nodes: list[Node]) -> set[str]:
    return {node.name for node in toposort(nodes) if isinstance(node, (Variable, Named))}


def _resized(nodes: list[Node], sizes: Sizes) -> list[Node]:
    """Return nodes with numbers in the place of symbolic sizes."""
    return [substitute(node, {name: size for name, (size, _) in sizes.items()}) for node in nodes] if sizes else nodes


def _sized(nodes: tuple[Variable, ...], sizes: Sizes) -> tuple[Variable, ...]:
    return tuple(
        Variable(node.label, Param(as_shape([known(size, sizes) for size in node.shape])), Param(node.dtype.name))
        for node in nodes
    )
