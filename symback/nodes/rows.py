"""A graph as a flat list of rows, operands before users: the form in which it is pickled and written as JSON.

A row is ``[kind, static parameter, …, operand, …]``, where operands, and parameters that many nodes share,
are numbers of earlier rows; the last row lists the roots. Rows are rebuilt by the table `_KINDS`, through
the constructors that check what they are given, so that a document from a stranger can make a graph or
an error and nothing else.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import sympy

from symback import errors
from symback.graph import many_allocations, toposort
from symback.nodes import encoding as code
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named, Operation
from symback.nodes.contract import Contract, Subscripts
from symback.nodes.labels import Label
from symback.nodes.leaves import (
    Constant,
    Exact,
    Ones,
    Size,
    Variable,
    constant,
    exact,
    exact_from_sympy,
    ones_of,
    size_of,
)
from symback.nodes.node import HOOKS, Node, Param
from symback.nodes.shapes import Shape

T = TypeVar("T")


def postorder(root: sympy.Basic) -> list[sympy.Basic]:
    """Return the subexpressions of a SymPy expression, arguments first, without recursion.

    Each object comes once; nodes of a graph are not looked into.
    """
    order: list[sympy.Basic] = []
    done: set[int] = set()
    stack: list[tuple[sympy.Basic, bool]] = [(root, False)]
    while stack:
        part, expanded = stack.pop()
        if expanded:
            order.append(part)
        elif id(part) not in done:
            done.add(id(part))
            stack.append((part, True))
            if not isinstance(part, Node):
                stack.extend((argument, False) for argument in reversed(part.args) if id(argument) not in done)
    return order


# -- from nodes to rows -------------------------------------------------------------------------------


class _Writer:
    """The rows written so far, and the number of the row of each node, parameter and constant."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self.numbers: dict[Any, int] = {}

    def add(self, thing: Any, row: list[Any]) -> int:
        """Write a row and return its number."""
        number = self.numbers[thing] = len(self.rows)
        self.rows.append(row)
        return number

    def operands(self, node: Node) -> list[int]:
        """Return the row numbers of a node's operands."""
        numbers = self.numbers
        return [numbers[operand] for operand in node.operands]

    def head(self, node: Node) -> int:
        """Return the row number of a node's first argument, a parameter that other nodes may share."""
        parameter = cast(Param, node._args[0])
        number = self.numbers.get(parameter)
        return self.add(parameter, _write_parameter_row(parameter)) if number is None else number

    def shape(self, shape: Shape) -> int:
        """Return the row number of a shape."""
        number = self.numbers.get(shape)
        return self.add(shape, ["shape", *map(code.write_size, shape)]) if number is None else number

    def number(self, value: sympy.Expr) -> int:
        """Return the row number of a SymPy constant."""
        for part in postorder(value):
            if part not in self.numbers:
                arguments = [self.numbers[argument] for argument in part.args]
                self.add(part, ["number", *code.write_number(cast(sympy.Expr, part), arguments)])
        return self.numbers[value]


def _write_parameter_row(parameter: Param) -> list[Any]:
    if isinstance(parameter, Operation):
        return ["operation", parameter.name, *map(code.write_parameter, parameter.parameters)]
    if isinstance(parameter, Subscripts):
        return ["subscripts", [list(labels) for labels in parameter.inputs], list(parameter.out)]
    assert isinstance(parameter, Label)
    return ["label", *parameter.value]


def _write_exact(writer: _Writer, node: Node) -> list[Any]:
    value = cast(Exact, node).value
    if isinstance(value, int):
        return ["Exact", code.write_integer(value)]
    if isinstance(value, Fraction):
        return ["Exact", code.write_integer(value.numerator), code.write_integer(value.denominator)]
    if isinstance(value, float):
        return ["Exact", "float", repr(value)]
    return ["Exact", "number", writer.number(value)]


# -- from rows to nodes ---------------------------------------------------------------------------------


class _Reader:
    """What was rebuilt of the rows read so far."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.fitting: set[Any] = set()

    def get(self, number: Any, kind: type[T]) -> T:
        """Return what an earlier row made, which must be of the given kind."""
        if type(number) is not int or not 0 <= number < len(self.made):
            raise errors.bad_document(f"{str(number)[:40]!r} is not the number of an earlier row")
        found = self.made[number]
        if not isinstance(found, kind):
            raise errors.bad_document(f"row {number} is no {kind.__name__}")
        return found

    def nodes(self, numbers: Sequence[Any], least: int = 0) -> list[Node]:
        """Return the nodes that earlier rows made."""
        if len(numbers) < least:
            raise errors.bad_document(f"{len(numbers)} operands where at least {least} are needed")
        return [self.get(number, Node) for number in numbers]

    def check_product(self, subscripts: Subscripts, operands: Sequence[Node]) -> None:
        """Check that the labels of a product fit the axes of its operands."""
        key = (subscripts, *[operand.shape for operand in operands])
        if key in self.fitting:
            return
        ranks = [len(operand.shape) for operand in operands]
        if not operands or ranks != [len(labels) for labels in subscripts.inputs]:
            raise errors.bad_document("the labels of a product do not fit the axes of its operands")
        sizes: dict[int, Any] = {}
        for operand, labels in zip(operands, subscripts.inputs, strict=True):
            for label, size in zip(labels, operand.shape, strict=True):
                if sizes.setdefault(label, size) != size:
                    raise errors.label_mismatch("product", operands, sizes[label], size)
        if not sizes.keys() >= set(subscripts.out):
            raise errors.bad_document("an output label of a product stands in no operand")
        self.fitting.add(key)


class _Shape(NamedTuple):
    """A shape that a row made."""

    sizes: Shape


def _labels(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(label) is int and label >= 0 for label in value):
        raise errors.bad_document("labels are lists of integers from 0")
    return tuple(value)


def _read_subscripts(reader: _Reader, inputs: Any, out: Any) -> Subscripts:
    if not isinstance(inputs, list):
        raise errors.bad_document("labels are lists of integers from 0")
    return Subscripts((tuple([_labels(labels) for labels in inputs]), _labels(out)))


def _read_label(reader: _Reader, name: Any, latex: Any, kind: Any) -> Label:
    return Label(code.read_word(name), latex, code.read_word(kind))


def _read_number(reader: _Reader, name: Any, *rest: Any) -> sympy.Expr:
    arguments = [] if code.is_numeric_leaf(name) else [reader.get(number, sympy.Expr) for number in rest]
    return code.read_number(name, list(rest), arguments)


def _read_exact(reader: _Reader, *fields: Any) -> Node:
    if len(fields) == 1:
        return exact(code.read_integer(fields[0]))
    first, second = fields
    if first == "number":
        return exact_from_sympy(reader.get(second, sympy.Expr))
    if first == "float" and isinstance(second, str) and second in code.NONFINITE:
        return exact(code.NONFINITE[second])
    return exact(Fraction(code.read_integer(first), code.read_integer(second)))


def _read_contract(reader: _Reader, head: Any, *numbers: Any) -> Node:
    subscripts, operands = reader.get(head, Subscripts), reader.nodes(numbers)
    reader.check_product(subscripts, operands)
    return Contract(subscripts, *operands)


def _read_apply(reader: _Reader, head: Any, *numbers: Any) -> Node:
    return _checked(Apply(reader.get(head, Operation), *reader.nodes(numbers)))


def _checked(node: Node) -> Node:
    """Check what the signature of a primitive said of parameters that nobody had checked before."""
    if not all(isinstance(size, sympy.Expr) or (type(size) is int and size >= 0) for size in node.shape):
        raise errors.bad_document("the parameters of a primitive make no shape")
    if not isinstance(node.dtype, np.dtype):
        raise errors.bad_document("the parameters of a primitive make no dtype")
    return node


# -- the table ------------------------------------------------------------------------------------------------


class _Kind(NamedTuple):
    """How one kind of node is written and read."""

    node: type[Node]
    write: Callable[[_Writer, Any], list[Any]]
    read: Callable[..., Any]


_KINDS = (
    _Kind(
        Variable,
        lambda w, n: ["Variable", w.head(n), w.shape(n.shape), n.dtype.name],
        lambda r, label, shape, dtype: Variable(
            r.get(label, Label), Param(r.get(shape, _Shape).sizes), Param(code.read_dtype(dtype).name)
        ),
    ),
    _Kind(Exact, _write_exact, _read_exact),
    _Kind(
        Constant,
        lambda w, n: ["Constant", *code.write_array(n.array)],
        lambda r, *fields: constant(code.read_array(*fields)),
    ),
    _Kind(
        Ones,
        lambda w, n: ["Ones", w.shape(n.shape), n.dtype.name],
        lambda r, shape, dtype: ones_of(r.get(shape, _Shape).sizes, code.read_dtype(dtype)),
    ),
    _Kind(Size, lambda w, n: ["Size", code.write_size(n.size)], lambda r, size: size_of(code.read_size(size))),
    _Kind(Plus, lambda w, n: ["Plus", *w.operands(n)], lambda r, *numbers: Plus(*r.nodes(numbers, least=2))),
    _Kind(Contract, lambda w, n: ["Contract", w.head(n), *w.operands(n)], _read_contract),
    _Kind(
        Map,
        lambda w, n: ["Map", w.head(n), *w.operands(n)],
        lambda r, head, *numbers: Map(r.get(head, Operation), *r.nodes(numbers, least=1)),
    ),
    _Kind(Apply, lambda w, n: ["Apply", w.head(n), *w.operands(n)], _read_apply),
    _Kind(
        Named,
        lambda w, n: ["Named", w.head(n), *w.operands(n)],
        lambda r, label, number: Named(r.get(label, Label), r.get(number, Node)),
    ),
)

_WRITERS = {kind.node: kind.write for kind in _KINDS}

_READERS: dict[str, Callable[..., Any]] = {kind.node.__name__: kind.read for kind in _KINDS} | {
    "label": _read_label,
    "shape": lambda r, *sizes: _Shape(code.read_shape(list(sizes))),
    "operation": lambda r, name, *values: Operation(code.read_word(name), *[code.read_parameter(v) for v in values]),
    "subscripts": _read_subscripts,
    "number": _read_number,
}


def to_rows(nodes: Iterable[Node]) -> list[list[Any]]:
    """Write graphs as rows; what they share is written once."""
    roots = list(nodes)
    writer = _Writer()
    with many_allocations():
        for node in toposort(roots):
            write = _WRITERS.get(type(node))
            if write is None:
                raise errors.not_convertible("dumps", node, "only symback's own kinds of node can be written")
            writer.add(node, write(writer, node))
    return [*writer.rows, ["roots", *[writer.numbers[root] for root in roots]]]


def from_rows(rows: Any) -> list[Node]:
    """Rebuild the nodes whose graphs `to_rows` wrote.

    Raises:
        InputError: If the rows are malformed, or a constructor refuses what they say.
    """
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and row for row in rows):
        raise errors.bad_document("its rows are no list of lists")
    reader = _Reader()
    made = reader.made
    try:
        with many_allocations():
            for row in rows[:-1]:
                kind, *fields = row
                read = _READERS.get(kind)
                if read is None:
                    raise errors.bad_document(f"the kind {str(kind)[:40]!r} is unknown")
                made.append(read(reader, *fields))
            if rows[-1][0] != "roots":
                raise errors.bad_document("the last row does not list the roots")
            return reader.nodes(rows[-1][1:])
    except Exception as reason:  # whatever a constructor or a primitive's signature makes of foreign values
        raise errors.bad_document(f"row {len(made)}: {_first_line(reason)}") from reason


def _first_line(reason: Exception) -> str:
    text = str(reason).partition("\n")[0][:300].removeprefix(str(errors.bad_document("")))
    return text if isinstance(reason, errors.SymbackError) else f"{type(reason).__name__}: {text}"


def unpickle(rows: list[list[Any]]) -> Node:
    """Rebuild one pickled node."""
    (node,) = from_rows(rows)
    return node


HOOKS["pickle"] = lambda node: (to_rows([node]),)
HOOKS["unpickle"] = unpickle
