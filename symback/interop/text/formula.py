"""`from_text`: a formula as one writes it in NumPy, read to a graph."""

import ast
from collections.abc import Mapping
from typing import Any

import sympy

from symback.errors import text as messages
from symback.interop.text import names
from symback.interop.text.evaluation import Evaluator
from symback.interop.text.syntax import Source, read_names
from symback.nodes.leaves import Variable, as_node, variable
from symback.nodes.node import Node
from symback.nodes.shapes import size_symbols
from symback.ops.creation.filling import let


def from_text(formula: str, shapes: Mapping[str, Any], *, dtypes: Any = None) -> Node:
    """Read a formula in text, in the notation of NumPy.

    The text is parsed, never run. It has names, numbers, operators, comparisons, calls of symback's public functions
    (``sum``, ``special.erf``, ``linalg.solve``, also with ``np.`` or ``sb.`` before), methods and attributes of arrays
    (``x.T``, ``x.shape[0]``, ``x.sum(axis=0)``), and indices. Several statements, divided by semicolons or on lines of
    their own, give names: ``z = W @ x + b; sum(z**2)``. A symbolic size is a value too: ``sum(x)/n``. Integers and
    their quotients (``1/3``) are exact, and so is ``pi``; other numbers are floats. A list of numbers is an array.

    Args:
        formula: At most 20,000 characters. The value of the last statement is returned.
        shapes: The shape of each variable by name, as `sb.tensor` takes it; those that the formula does not name are
            left alone.
        dtypes: A dtype for all variables, or a dict of dtypes by name; float64 where none is given.

    Returns:
        A node. Its variables are those that ``sb.tensor(name, shape)`` gives.

    Raises:
        InputError: If the formula cannot be read, or the shape of a variable is missing; the message says where, and
            what to write.
        ShapeError, DtypeError, UsageError: What the functions in it raise, with the place.
        InvalidNameError: If a name cannot stand in emitted code.

    Example:
        >>> import symback as sb
        >>> print(sb.from_text("z = W @ x + b; sum(sigmoid(z)**2)/2", {"W": ("h", "n"), "x": "n", "b": "h"}))
        z = W @ x + b
        1/2*sum('i->', sigmoid(z)*sigmoid(z))
    """
    if not isinstance(formula, str):
        raise messages.no_text(formula)
    if not isinstance(shapes, Mapping):
        raise messages.no_shapes(shapes, "shapes")
    source = Source(formula.strip())
    return _Reader(source, _variables(shapes, dtypes)).result()


def _variables(shapes: Mapping[str, Any], dtypes: Any) -> dict[str, Variable]:
    given = {} if dtypes is None else dtypes
    if not isinstance(given, Mapping):
        given = dict.fromkeys(shapes, given)
    for name in given:
        if name not in shapes:
            raise messages.no_variable(name, [*shapes])
    return {name: variable(name, shape, given.get(name, "float64")) for name, shape in shapes.items()}


class _Reader:
    """Reads the statements of a formula in order."""

    def __init__(self, source: Source, variables: Mapping[str, Variable]) -> None:
        self._source = source
        self._variables = variables
        self._values: dict[str, Any] = dict(variables)
        sizes = {symbol for node in variables.values() for size in node.shape for symbol in size_symbols(size)}
        self._sizes: dict[str, sympy.Symbol] = {symbol.name: symbol for symbol in sizes}
        self._read = Evaluator(source, self._values, self._sizes)

    def result(self) -> Node:
        """Return the value of the last statement."""
        self._check_names()
        value: Any = None
        *before, _ = self._source.statements
        for statement in before:
            if isinstance(statement, ast.Expr):
                reason = "this value is not used; give it a name, z = ..., or leave it out: the last statement counts"
                raise messages.refused(reason, self._source.place(statement))
        for statement in self._source.statements:
            value = self._statement(statement)
        if isinstance(value, tuple):
            raise messages.results(value, self._source.place(self._source.statements[-1]))
        with self._read.at(self._source.statements[-1]):
            return as_node(value)

    def _statement(self, statement: Any) -> Any:
        if isinstance(statement, ast.Expr):
            return self._read(statement.value)
        if len(statement.targets) > 1:
            raise messages.refused("one name is assigned at a time: z = ...", self._source.place(statement))
        return self._assign(statement.targets[0], statement)

    def _assign(self, target: ast.expr, statement: ast.Assign) -> Any:
        """Give a value its name, or the items of several results theirs."""
        if not isinstance(target, ast.Tuple):
            return self._named(target, self._read(statement.value))
        values = self._read(statement.value)
        if not isinstance(values, (tuple, list)) or len(values) != len(target.elts):
            count = len(values) if isinstance(values, (tuple, list)) else 1
            reason = f"{len(target.elts)} names for {count} result{'s' if count > 1 else ''}"
            raise messages.refused(reason, self._source.place(statement))
        return tuple(self._named(part, value) for part, value in zip(target.elts, values, strict=True))

    def _named(self, target: ast.expr, value: Any) -> Any:
        """Name a node; numbers, sizes and tuples keep what they are, so that they can be options."""
        place = self._source.place(target)
        if not isinstance(target, ast.Name):
            raise messages.refused("only names are assigned; use set_at(x, index, value) for entries", place)
        if target.id in self._values or target.id in self._sizes:
            raise messages.refused(f"{target.id} stands for something already; choose another name", place)
        with self._read.at(target):
            named = isinstance(value, (Node, list))
            self._values[target.id] = let(target.id, as_node(value)) if named else value
        return self._values[target.id]

    def _check_names(self) -> None:
        """Refuse names that stand for nothing, all at once."""
        stores = {
            node.id
            for statement in self._source.statements
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        missing: dict[str, ast.Name] = {}
        for name, node in read_names(self._source.statements):
            known = name in self._values or name in self._sizes or name in stores or name in _OPENING
            if not known and names.constant((name,)) is None and name not in names.functions():
                missing.setdefault(name, node)
        if missing:
            place = self._source.place(next(iter(missing.values())))
            raise messages.missing_shapes([*missing], [*self._variables, *names.functions()], place)


_OPENING = frozenset({*names.LIBRARIES, *names.FOLDERS, "scipy"})
"""Names that open a dotted name."""
