r"""Direct derivatives of one quantity by another, all others held: ``\frac{\partial z_{i}}{\partial W_{ij}} = x_{j}``.

The expression of a quantity is cut at names and at the other quantities; its Jacobian comes from the same rules as
every derivative, and is written by its entries.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count
from typing import Protocol

from symback.derivation.components.componentwise import Components, Symbols
from symback.derivation.components.entries import Entries
from symback.derivation.components.formulas import (
    Bound,
    Indices,
    at_letters,
    entry,
    factors_of,
    holds,
    letter_of,
    renamed,
    times,
    with_indices,
)
from symback.derivation.components.kronecker import eliminated
from symback.graph import replaced, toposort
from symback.latex.indices import index_letter
from symback.latex.meaning import Meaning
from symback.latex.terms import Term
from symback.nodes.apply import Map, Named
from symback.nodes.labels import Label
from symback.nodes.leaves import Leaf, Variable, variable
from symback.nodes.node import Node
from symback.nodes.shapes import size_symbols
from symback.page.blocks import Equation, Formula

_MOST_LETTERS = 24


class Owned(Protocol):
    """What is asked of a quantity."""

    @property
    def node(self) -> Node:
        """The quantity."""

    @property
    def adjoint(self) -> Node:
        """Its adjoint."""


class Recorded(Protocol):
    """What is asked of a record: see `symback.derivation.record.Record`."""

    @property
    def written(self) -> Node:
        """The loss as it was given."""

    @property
    def loss(self) -> Node:
        """The loss as it was differentiated."""

    @property
    def quantities(self) -> Sequence[Owned]:
        """The quantities."""

    @property
    def slopes(self) -> Mapping[Variable, Map]:
        """The symbols of slopes."""

    @property
    def forward(self) -> Mapping[Node, Node]:
        """What is emitted for each named node."""

    @property
    def differentiated(self) -> Mapping[Node, Node]:
        """What was differentiated for each named node."""


class ByComponents:
    """Writes the formulas of one derivation by components.

    Args:
        record: What the pass recorded.
        looks: The symbols of adjoints.
        matrix: Writes what a node is made of in matrix notation.
        look_of: Returns the look of a name.
        jacobian: Differentiates an expression, the first argument, by the second.

    Attributes:
        entries: Writes entries of nodes.
        text: Writes them in print.
        letters: Letters for indices, none of them a name or a size.
    """

    def __init__(
        self,
        record: Recorded,
        looks: Symbols,
        matrix: Callable[[Node], Term],
        look_of: Callable[[Label], str],
        jacobian: Callable[[Node, Node], Node],
    ) -> None:
        order = toposort([record.written, record.loss, *record.forward.values()])
        owners = {q.adjoint.label: q.node for q in record.quantities if isinstance(q.adjoint, Named)}
        self._jacobian = jacobian
        self.quantities = frozenset(q.node for q in record.quantities)
        self.entries = Entries(matrix, _names(order, record.differentiated, owners), owners, record.slopes)
        taken = {look_of(node.label) for node in order if isinstance(node, (Named, Variable))}
        self.text = Components(looks, matrix, look_of, frozenset(taken))
        quantities = [q.node for q in record.quantities if isinstance(q.node, (Named, Variable))]
        taken |= {looks.symbol(node, look_of(node.label)) for node in quantities}
        taken |= {symbol.name for node in order for size in node.shape for symbol in size_symbols(size)}
        self.letters = [index_letter(number, frozenset(taken)) for number in range(_MOST_LETTERS)]

    def derivative(self, of: Node, by: Node, rows: Indices, columns: Indices) -> Meaning | None:
        """Return the entry of the direct derivative of one quantity by another; None if it has no short form."""
        if self.entries.is_long(of):
            return None
        self.entries.closed = True
        self.entries.held = self.quantities
        found = eliminated(self.entries.of(self._differentiated(of, by), (*rows, *columns)))
        return found if self.entries.closed else None

    def _differentiated(self, of: Node, by: Node) -> Node:
        cut = Cut(of, by, self.quantities)
        return cut.restored(self._jacobian(cut.expression, cut.by))

    def new_indices(self, node: Node) -> tuple[Indices, Bound]:
        """Return new indices for the axes of a node, and the letters among them with their sizes."""
        indices = tuple(0 if size == 1 else self.entries.bound() for size in node.shape)
        pairs = zip(indices, node.shape, strict=True)
        return indices, tuple((index, size) for index, size in pairs if isinstance(index, str))

    def formula(self, named: Meaning, free: Bound) -> Formula:
        """Return a labelled meaning in print, for an equation with these free letters."""
        meaning = None if holds(named, "unknown") else Meaning("labelled", (), (named, free))
        term = self.text.term(named)
        return Formula(term.side(), meaning)

    def local_entries(self, of: Node, by: Node) -> Equation | None:
        r"""Write the direct derivative of one quantity by another, where it is not zero, on one line.

        Where a Kronecker delta ties an index of the one to an index of the other, both are the same letter:
        ``\frac{\partial z_{i}}{\partial W_{ij}} = x_{j}``.

        Returns:
            The equation; None if the derivative has no short form by entries.
        """
        (rows, first), (columns, second) = self.new_indices(of), self.new_indices(by)
        found = self.derivative(of, by, rows, columns)
        if found is None:
            return None
        tied = _ties(found, set(rows), set(columns))
        kept = [f for f in factors_of(found) if not (f.op == "delta" and tied.keys() & set(f.data[:2]))]
        indices = at_letters((*rows, *columns), tied)
        sizes = dict([*second, *first])
        names: dict[str, str] = {}
        for index in indices:
            letter = letter_of(index)
            if letter is not None:
                names.setdefault(letter, self.letters[len(names)])
        free = tuple((name, sizes[letter]) for letter, name in names.items())
        left = entry(Meaning("partial", data=(of, by)), indices)
        sides = [left, times(with_indices(factor, tied) for factor in kept)]
        head, side = (self.formula(renamed(meaning, names, self.letters), free) for meaning in sides)
        return Equation(head, (side,))


def _names(order: Sequence[Node], now: Mapping[Node, Node], owners: Mapping[Label, Node]) -> dict[Node, Named]:
    """Return the name of each expression that has one, names of adjoints aside."""
    names: dict[Node, Named] = {}
    pairs = [(node.operands[0], node) for node in order if isinstance(node, Named) and node.label not in owners]
    for expression, name in [*pairs, *((new, node) for node, new in now.items() if isinstance(node, Named))]:
        if expression.operands and not isinstance(expression, Named):
            names.setdefault(expression, name)
    return names


def _ties(found: Meaning, rows: set[object], columns: set[object]) -> dict[str, str]:
    """Return the letters of columns that deltas of a product tie to letters of rows."""
    tied: dict[str, str] = {}
    for factor in factors_of(found):
        if factor.op == "delta":
            one, other = factor.data[:2]
            for row, column in ((one, other), (other, one)):
                if row in rows and column in columns and isinstance(row, str) and isinstance(column, str):
                    tied.setdefault(column, row)
    return tied


class Cut:
    """The expression of one quantity, with variables in the places of names and of all other quantities.

    Args:
        of: A quantity; its own name is opened.
        by: What it is to be differentiated by.
        quantities: Nodes without a name that have a place of their own.

    Attributes:
        expression: The expression.
        by: What stands in it for the node that it is to be differentiated by.
    """

    def __init__(self, of: Node, by: Node, quantities: Collection[Node]) -> None:
        expression = of.operands[0] if isinstance(of, Named) else of
        stops = _Ends(of, by, quantities)
        reached = toposort([expression], stops=stops)
        names = {node.name for node in reached if isinstance(node, (Named, Variable))}
        fresh = (name for number in count() if (name := f"held_{number}") not in names)
        given: dict[Node, Node] = {}
        for node in reached:
            if node in stops and not isinstance(node, Leaf):
                given[node] = variable(next(fresh), node.shape, node.dtype.name)
        cut: dict[Node, Node] = replaced([expression], given)
        self.expression = cut[expression]
        self.by = given.get(by, by)
        self._back = {held: node for node, held in given.items()}

    def restored(self, node: Node) -> Node:
        """Put names and quantities back into what was made from the expression."""
        back: dict[Node, Node] = replaced([node], self._back)
        return back[node]


class _Ends:
    """Stops a walk at names and at other quantities; no set is made of these, as a network has many."""

    def __init__(self, of: Node, by: Node, quantities: Collection[Node]) -> None:
        self._of = of
        self._by = by
        self._quantities = quantities

    def __contains__(self, node: object) -> bool:
        if isinstance(node, Named) or node is self._by:
            return True
        return node in self._quantities and node is not self._of and not isinstance(node, Leaf)
