"""What an emitted function costs: a table of its statements, as formulas in the symbolic sizes."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import sympy

from symback import errors
from symback.codegen.cost.counting import ZERO_COUNT, Count, count_of, memory_of
from symback.codegen.cost.entrywise import signed_factors
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Exact, Ones
from symback.nodes.node import Node
from symback.nodes.shapes import integer_of, size_symbols
from symback.op.table import primitive_of

_LONGEST = 48
_STATEMENT = re.compile(r"(\w+(?:, \w+)*) = ")


class Written(Protocol):
    """A program whose statements are written: a `Builder` of `symback.codegen.program`."""

    program: Any

    def held(self) -> tuple[Mapping[Node, str], Collection[Node]]:
        """Return the names of what statements compute, and what is written into parts of arrays."""


class Statement(NamedTuple):
    """A row of a `Cost`.

    Attributes:
        text: The statement, or its beginning; ``return`` for what stands among the results.
        operations: Additions, multiplications, comparisons and function evaluations, entry by entry.
        functions: The evaluations of functions among them.
        bytes: Memory read and written.
    """

    text: str
    operations: Any
    functions: Any
    bytes: Any


class Cost:
    """Operations and memory traffic of an emitted function; it prints as a table.

    Attributes:
        operations: Additions, multiplications, comparisons and function evaluations, entry by entry: a SymPy
            expression in the symbolic sizes. A product of (m, n) and (n, k) matrices is 2mnk, one of a matrix with
            its own transpose half of that, a sum of n entries n. A change of sign is no operation.
        functions: For each function that is more work than an addition (exp, sigmoid, power) how often it is
            evaluated. What it takes inside counts as one operation.
        bytes: Each NumPy call reads its operands once and writes its result once, temporaries included: the sum of
            their sizes, copies and changes of sign included. Views, and numbers without axes, count as none; so
            does what a call does inside.
        rows: For each statement the same, as `Statement`.
    """

    def __init__(
        self,
        operations: Any,
        functions: Mapping[str, Any],
        bytes: Any,
        rows: Sequence[Statement],
        known: Mapping[str, int | None],
    ) -> None:
        self.operations = operations
        self.functions = dict(functions)
        self.bytes = bytes
        self.rows = tuple(rows)
        self._known = dict(known)

    @property
    def sizes(self) -> list[str]:
        """The names of the symbolic sizes that the formulas have."""
        return sorted({symbol.name for total in (self.operations, self.bytes) for symbol in total.free_symbols})

    def at(self, **sizes: int) -> "Cost":
        """Return the cost at given sizes; those that are not given stay.

        Raises:
            InputError: If a name is that of no size, a size is no integer from 0, or it has another value already.

        Example:
            >>> import symback as sb
            >>> A, x = sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",))
            >>> sb.cost(A @ x).at(m=10, n=100).operations
            2000
        """
        known = dict(self._known)
        for name, value in sizes.items():
            number = integer_of(value)
            if name not in known:
                raise errors.unknown_size("cost", name, sorted(known))
            if number is None or number < 0:
                raise errors.bad_size_value("cost", name, value)
            if known[name] not in (None, number):
                raise errors.size_given_twice("cost", name, known[name], number)
            known[name] = number
        values = {name: sympy.Integer(value) for name, value in known.items() if value is not None}
        functions = {name: _valued(count, values) for name, count in self.functions.items()}
        rows = [Statement(row.text, *(_valued(count, values) for count in row[1:])) for row in self.rows]
        return Cost(_valued(self.operations, values), functions, _valued(self.bytes, values), rows, known)

    def sentence(self) -> str:
        """Return the cost in one sentence."""
        called = ", ".join(f"{name}: {count}" for name, count in self.functions.items())
        functions = f" (functions among them: {called})" if called else ""
        return f"{self.operations} operations{functions}, {self.bytes} bytes read and written"

    def __str__(self) -> str:
        total = Statement("total", self.operations, _total(self.functions), self.bytes)
        cells: list[Sequence[str]] = [("statement", "operations", "functions", "bytes")]
        cells += [[str(cell) for cell in row] for row in (*self.rows, total)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in cells]
        lines = ["  ".join(row).rstrip() for row in padded]
        called = [f"{name}: {count}" for name, count in self.functions.items()]
        return "\n".join([*lines, *([f"functions: {', '.join(called)}"] if called else [])])

    __repr__ = __str__


def _valued(count: Any, values: Mapping[str, sympy.Integer]) -> Any:
    """Put numbers for sizes; of nothing there is nothing to sort, so that a logarithm of 0 counts as 0."""
    put = {symbol: values[symbol.name] for symbol in count.free_symbols if symbol.name in values}
    empty = {log: sympy.Integer(0) for log in count.atoms(sympy.log) if log.args[0].xreplace(put) == 0}
    return count.xreplace(empty).xreplace(put)


def tally(builder: Written, order: Sequence[Node], outputs: Sequence[Node], copied: Sequence[Node]) -> Cost:
    """Count what the program of a builder takes, statement by statement.

    Args:
        builder: What wrote the program.
        order: The graph that it writes, operands first.
        outputs: The results among that.
        copied: The results that are copied where they are returned, each as often as that happens.

    Returns:
        The cost, in the symbolic sizes.
    """
    spelled = _Spelled(builder, order, outputs)
    counts: dict[str, list[Count]] = {"return": [Count(bytes=2 * memory_of(node)) for node in copied]}
    for node in order:
        counts.setdefault(spelled.owners.get(node, "return"), []).append(spelled.count(node))
    lines = _lines_of(builder)
    places = {name: place for place, name in enumerate([*lines, *(name for name in counts if name not in lines)])}
    places["return"] = len(places)
    lines["return"] = _returned(builder)
    totals = {name: Count.sum(counts[name]) for name in sorted(counts, key=places.__getitem__)}
    rows = [
        Statement(lines.get(name, name), total.operations, _total(total.functions), total.bytes)
        for name, total in totals.items()
    ]
    whole = Count.sum(totals.values())
    known = {symbol.name: None for node in order for size in node.shape for symbol in size_symbols(size)}
    return Cost(whole.operations, whole.functions, whole.bytes, [row for row in rows if any(row[1:])], known)


def _total(functions: Mapping[str, Any]) -> Any:
    return sum(functions.values(), sympy.Integer(0))


def _lines_of(builder: Written) -> dict[str, str]:
    """Return the first line of each statement by the names that it assigns."""
    lines: dict[str, str] = {}
    for line in builder.program.lines:
        found = _STATEMENT.match(line)
        for name in found[1].split(", ") if found else ():
            lines.setdefault(name, _shortened(line))
    return lines


def _returned(builder: Written) -> str:
    return _shortened(f"return {', '.join(text.signed() for text in builder.program.results)}")


def _shortened(text: str) -> str:
    first = text.partition("\n")[0]
    return first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"


class _Spelled:
    """How a program is spelled, as far as counting needs it.

    Attributes:
        owners: The name of the statement that computes each node: its own, or that of what uses it.
    """

    def __init__(self, builder: Written, order: Sequence[Node], outputs: Sequence[Node]) -> None:
        self._named, self._parts = builder.held()
        self._calls = Counter(_call_of(node) for node in order)
        self._counted: set[Any] = set()
        self._repeats = {node.operands[-1] for node in order if isinstance(node, Contract)}
        self._users: dict[Node, list[Node]] = {}
        for node in order:
            for operand in node.operands:
                self._users.setdefault(operand, []).append(node)
        self._outputs = {unnamed(node) for node in outputs}
        self.owners: dict[Node, str] = {}
        for node in reversed(order):
            if node.operands and node in self._named:
                self.owners[node] = self._named[node]
            for operand in node.operands:
                if node in self.owners:
                    self.owners.setdefault(operand, self.owners[node])
        first: dict[Any, Node] = {}
        for node in order:
            if (call := _call_of(node)) is not None and (owner := first.setdefault(call, node)) in self.owners:
                self.owners[node] = self.owners[owner]

    def count(self, node: Node) -> Count:
        """Count a node; of a call that returns several results the further ones are only written."""
        call = _call_of(node)
        if call is not None and call in self._counted:
            return Count(bytes=memory_of(node))
        self._counted.add(call)
        implicit = isinstance(node, Ones) and node in self._repeats  # a product is repeated by NumPy, not multiplied
        return ZERO_COUNT if implicit else Count.sum([count_of(node, self), self._count_sign(node)])

    def _count_sign(self, node: Node) -> Count:
        """Count a change of sign for which an array is gone through once more: sums and products take most in."""
        if not isinstance(node, Contract) or not (factors := signed_factors(node, self.divides)):
            return ZERO_COUNT
        users = [user for used in self._under_any_name(node) for user in self._users.get(used, ())]
        kept = node in self._named or node in self._outputs
        kept = kept or any(isinstance(user, (Map, Apply)) for user in users)
        kept = kept or any(isinstance(user, Plus) and self._starts_with_sign(user) is node for user in users)
        return Count(bytes=2 * memory_of(factors[0])) if kept else ZERO_COUNT

    def _under_any_name(self, node: Node) -> list[Node]:
        return [node, *(user for user in self._users.get(node, ()) if isinstance(user, Named))]

    def _starts_with_sign(self, node: Plus) -> Node | None:
        """Return the first term of a sum, if its sign stands at the front."""
        first, second, *rest = map(unnamed, node.operands)
        alike = isinstance(second, Contract) and second.parts().coefficient < 0 and second not in self._named
        return first if rest or alike else None

    def vanishes(self, node: Node) -> bool:
        """Is this written as a division wherever it is used, and so nowhere by itself?"""
        users = self._users.get(node, ())
        factor = all(isinstance(user, Contract) and classify(user).kind == "hadamard" for user in users)
        return self.divides(node) and bool(users) and factor and node not in self._outputs

    def divides(self, node: Node) -> bool:
        """Is this ``1 / y``, and written as a division by y where it is a factor?"""
        below = isinstance(node, Map) and node.operation.name == "divide" and isinstance(node.operands[0], Exact)
        return below and node not in self._named

    def alone(self, node: Apply) -> bool:
        """Is this, of the results of a call that can return several, the only one that is needed?"""
        call = _call_of(node)
        return call is not None and primitive_of(node).alone is not None and self._calls[call] == 1

    def in_part(self, node: Node) -> bool:
        """Is this written into a part of an array that is there already?"""
        return node in self._parts


def _call_of(node: Node) -> Any:
    """Return what identifies the call whose result a node is, if the call returns several."""
    if not isinstance(node, Apply) or (declared := primitive_of(node)).part is None:
        return None
    return declared.numpy, node.operands, node.operation.parameters
