r"""The equations of a Hessian: Jacobians of quantities by the chain rule, gradients differentiated, congruences."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from symback.derivation.adjoints import AdjointLooks
from symback.derivation.matrices.jacobians import (
    MOST_AXES,
    congruent,
    matrix_of,
    multiplied,
    named_jacobian,
    named_second,
    vec,
    zero_block,
)
from symback.derivation.matrices.second import SecondStep
from symback.derivation.record import Record
from symback.derive.orders import labels_of
from symback.derive.paths import between, fresh_names
from symback.graph import replaced, toposort
from symback.latex.meaning import Meaning
from symback.latex.printer import Printer, formula_of
from symback.latex.terms import POSTFIX, Term, added, look_term, transposed
from symback.nodes.add import split_coefficient
from symback.nodes.apply import Named
from symback.nodes.contract import contract, is_zero
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.node import Node, Param
from symback.page.blocks import Equation
from symback.trace import Second

_LONGEST = 160
_MOST_NODES = 60


class Calculus(NamedTuple):
    """What differentiates: functions of `symback.derive.higher`.

    Attributes:
        hessian: The blocks of second derivatives of a scalar, with a record of how they were found.
        jacobians: The derivatives of a node by others.
        gradient: The derivative of a scalar by a node, as it is differentiated again.
    """

    hessian: Callable[..., list[list[Node]]]
    jacobians: Callable[[Node, Sequence[Node]], list[Node]]
    gradient: Callable[[Node, Node], Node]


class HessianWriter:
    """Writes the steps of one Hessian; each Jacobian once.

    Args:
        record: What the first pass recorded.
        blocks: The second derivatives that were asked for.
        looks: The symbols of adjoints.
        calculus: What differentiates.
    """

    def __init__(
        self, record: Record, blocks: Mapping[tuple[Node, Node], Node], looks: AdjointLooks, calculus: Calculus
    ) -> None:
        self.loss, self.blocks, self.looks, self.calculus = record.loss, blocks, looks, calculus
        self._quantities: dict[str, Node] = {}
        self._names: dict[Node, str | Term] = {}
        self._alias: dict[Node, Named] = {}
        inside = set(toposort([record.loss]))
        for node in toposort([record.written, record.loss]):
            if not isinstance(node, (Named, Variable)):
                continue
            self._quantities[node.name] = node
            if isinstance(node, Named) and node.operands[0].operands and not isinstance(node.operands[0], Named):
                self._names.setdefault(node.operands[0], node.label.look)
                if node not in inside:
                    self._alias[node.operands[0]] = node
        self._taken = [node.label.look for node in self._quantities.values() if isinstance(node, (Named, Variable))]
        self._written: set[tuple[Node, Node]] = set()
        self._gradients: dict[Node, Node] = {}
        self._short: dict[tuple[Node, Node], Term] = {}

    def step(self, found: Second) -> SecondStep:
        """Write one block."""
        row, column, over, under = found.row, found.column, found.row_through, found.column_through
        value = self._block(row, column)
        jacobians: list[Equation] = []
        reason = ""
        if found.is_zero or is_zero(value):
            reason = f"${self.looks.top}$ is affine in ${self._plain(row)}$:" if found.is_zero else ""
            equation = self._equation(self._second(row, column), [zero_block(row.shape, column.shape)], self._printer())
        elif over is row and under is column:
            jacobians = list(self._jacobians(self._gradient(row), column))
            equation = self._line(self._second(row, column), self._gradient(row), column, value)
        else:
            for middle, node in dict.fromkeys([(over, row), (under, column)]):
                if middle is not node:
                    jacobians += [*self._jacobians(middle, node), *self._own(middle, node)]
            equation = self._congruence(found, value)
            reason = self._reason([(over, row), (under, column)])
        return SecondStep(row, column, over, under, value, tuple(jacobians), equation, reason)

    # -- the chain rule ------------------------------------------------------------------------

    def _jacobians(self, root: Node, by: Node) -> Iterator[Equation]:
        """Write the derivatives by a node of all quantities between it and `root`."""
        for node in between(root, [by]):
            if self.has_place(node) and node is not by and (node is not root or self._adjoint_of(node) is not None):
                yield from self._own(node, by)

    def _own(self, node: Node, by: Node) -> Iterator[Equation]:
        if (node, by) not in self._written:
            self._written.add((node, by))
            inside = node.operands[0] if isinstance(node, Named) else node
            name = self._derivative(node, by)
            line = self._line(name, inside, by, None)
            if (node, by) not in self._short and (found := self._short.get((inside, by))):
                self._short[node, by] = found
            yield line

    def _line(self, left: Term, inside: Node, by: Node, value: Node | None) -> Equation:
        """Write the derivative of an expression by the chain rule, and what it is."""
        printer = self._printer()
        sides = self._chain(inside, by, printer)
        if value is None and (not sides or len(between(inside, [by])) <= _MOST_NODES):
            value = self.calculus.jacobians(inside, [by])[0]
        axes = len(inside.shape), len(by.shape)
        final = None if value is None or (sides and axes[0] == 0 < axes[1]) else self._closed(value, axes)
        if final is not None:
            self._short[inside, by] = final
            sides.append(final)
        if not sides and value is not None and (whole := matrix_of(value, axes, printer.term)) is not None:
            sides.append(whole)
        if not sides and value is not None:  # by entries, with as many axes as it has
            assert left.meaning is not None
            left = left._replace(meaning=Meaning("by_entries", (left.meaning,), (*inside.shape, *by.shape)))
            sides.append(printer.term(value))
        return self._equation(left, sides, printer)

    def _closed(self, value: Node, axes: tuple[int, int]) -> Term | None:
        """Write a derivative, if it is a matrix and short."""
        printer = self._printer()
        term = matrix_of(value, axes, printer.term)
        return None if term is None or printer.definitions or len(term.text) > _LONGEST else term

    def _chain(self, value: Node, by: Node, printer: Printer) -> list[Term]:
        """Write a derivative by those of the nearest quantities, if each factor is a matrix; then with their values."""
        moving = set(between(value, [by]))
        order = toposort([value], stops=_Stops(self, by, value))
        near = [node for node in order if node in moving and (node is by or self.has_place(node))]
        near = [node for node in near if node is not value or isinstance(value, Named)]
        if near == [by] or not near:
            return []
        terms, opened = list[Term](), list[Term]()
        for node, factor in zip(near, _direct(value, near, self.loss, self.calculus), strict=True):
            axes = len(value.shape), len(node.shape)
            core, coefficient = split_coefficient(factor)
            matrix = matrix_of(factor, axes, printer.term)
            if matrix is None:
                return []
            bare = None if core is None else matrix_of(core, axes, printer.term)
            if node is by:
                terms.append(matrix)
                opened.append(matrix)
                continue
            short = self._short.get((node, by))
            terms.append(multiplied(matrix, bare, coefficient, self._derivative(node, by)))
            opened.append(multiplied(matrix, bare, coefficient, short) if short else terms[-1])
        shown, whole = (added(found) if len(found) > 1 else found[0] for found in (terms, opened))
        return [shown] if opened == terms or len(whole.text) > _LONGEST else [shown, whole]

    def _congruence(self, found: Second, value: Node) -> Equation:
        """Write a block by that of the nodes through which alone the loss depends on its variables."""
        printer = self._printer()
        pairs = [(found.row_through, found.row), (found.column_through, found.column)]
        inner = self._second(found.row_through, found.column_through)
        names = [self._derivative(middle, node) if middle is not node else None for middle, node in pairs]
        sides = [congruent(names[0], inner, names[1])]
        values = [self._short.get((middle, node)) if middle is not node else None for middle, node in pairs]
        if [value is None for value in values] == [name is None for name in names]:
            sides.append(congruent(values[0], inner, values[1]))
        for closed in (self._multiplied_out(found, inner), value):
            term = self._closed(closed, (len(found.row.shape), len(found.column.shape)))
            sides += [term] if term is not None else []
        return self._equation(self._second(found.row, found.column), sides, printer)

    def _multiplied_out(self, found: Second, inner: Term) -> Node:
        """Return a congruence in which the second derivative between stays closed under its name."""
        over, under, row, column = found.row_through, found.column_through, found.row, found.column
        name = next(fresh_names("second", [self.loss]))
        middle = Named(Label(name), self._block(over, under))
        self._names[middle] = inner
        rows, a, b, columns = labels_of(row, over, under, column)
        factors = [(middle, (rows if over is row else a) + (columns if under is column else b))]
        if over is not row:
            factors.insert(0, (self.calculus.jacobians(over, [row])[0], a + rows))
        if under is not column:
            factors.append((self.calculus.jacobians(under, [column])[0], b + columns))
        return contract(factors, rows + columns)

    def _reason(self, pairs: Sequence[tuple[Node, Node]]) -> str:
        """Say why a block may be taken from that of other nodes."""
        users: dict[Node, list[str]] = {}
        for middle, node in dict.fromkeys(pairs):
            if middle is not node:
                users.setdefault(middle, []).append(f"${self._plain(node)}$")
        top = f"${self.looks.top}$"
        return "; ".join(
            f"{top} depends on {' and '.join(names)} through ${self._plain(middle)}$ alone, which is affine in "
            + ("it:" if len(names) == 1 else "both:")
            for middle, names in users.items()
        )

    # -- names ---------------------------------------------------------------------------------

    def _printer(self) -> Printer:
        return Printer(self._names, self._taken, most_nodes=None)

    def has_place(self, node: Node) -> bool:
        """Is this a quantity that has a derivative of its own in print?"""
        return (isinstance(node, Named) or node in self._alias) and len(node.shape) <= MOST_AXES

    def _gradient(self, node: Node) -> Node:
        """Return what the derivative of the loss by a node is made of; the adjoints in it are printed by symbols."""
        if node not in self._gradients:
            found = self.calculus.gradient(self.loss, node)
            own = self._adjoint_of(found)
            self._gradients[node] = found.operands[0] if own is node else found
            for part in toposort([found]):
                if (of := self._adjoint_of(part)) is not None:
                    self._names[part] = self.looks.term(of, self._plain(of))
        return self._gradients[node]

    def _adjoint_of(self, node: Node) -> Node | None:
        if not isinstance(node, Named) or node.label.kind != "adjoint":
            return None
        return self._quantities.get(node.name.removeprefix("d_"))

    def _block(self, row: Node, column: Node) -> Node:
        found = self.blocks.get((row, column))
        return self.calculus.jacobians(self._gradient(row), [column])[0] if found is None else found

    def _plain(self, node: Node) -> str:
        node = self._alias.get(node, node)
        return node.label.look if isinstance(node, (Named, Variable)) else self._printer().within(node, POSTFIX)

    def _look(self, node: Node) -> Term:
        """Return a quantity in print: a matrix as a column."""
        term = look_term(self._plain(node))
        return vec(term) if len(node.shape) == MOST_AXES else term

    def _derivative(self, node: Node, by: Node) -> Term:
        of = self._adjoint_of(node)
        if of is not None:
            return self._second(of, by, node)
        return named_jacobian(self._look(node), self._look(by), (node, by))

    def _second(self, row: Node, column: Node, gradient: Node | None = None) -> Term:
        """Return the symbol of a block; one of a number by an array is a row, and written as the transpose."""
        if not row.shape and column.shape and gradient is None:
            return transposed(self._second(column, row))
        data = row, column, self._gradient(row) if gradient is None else gradient
        ranks = len(row.shape), len(column.shape)
        return named_second(self.looks.top, self._look(row), self._look(column), ranks, data)

    def _equation(self, left: Term, sides: Sequence[Term], printer: Printer) -> Equation:
        """Put an equation together; a side that differs from another in the order of terms only is left out."""
        self._taken += [name.text for name, _ in printer.definitions]
        shown: dict[str, Term] = {}
        for term in sides:
            if term.signed() != left.signed():
                shown.setdefault(" + ".join(sorted(term.signed().split(" + "))), term)
        kept = [formula_of(term) for term in shown.values()] or [formula_of(left)]
        return Equation(formula_of(left), tuple(kept), tuple(printer.definitions))


class _Stops:
    """Stops a walk at quantities below the one it starts from, and at what is differentiated by."""

    def __init__(self, writer: HessianWriter, by: Node, root: Node) -> None:
        self._writer, self._by, self._root = writer, by, root

    def __contains__(self, node: object) -> bool:
        if node is self._by:
            return True
        starts = node is self._root and not isinstance(node, Named)
        return not starts and isinstance(node, Node) and self._writer.has_place(node)


def _direct(value: Node, near: Sequence[Node], loss: Node, calculus: Calculus) -> list[Node]:
    """Return the derivative of an expression by each of its nearest quantities, the others held."""
    names = fresh_names("held", [loss])
    stands = {node: Variable(Label(next(names)), Param(node.shape), Param(node.dtype.name)) for node in near}
    closed: dict[Node, Node] = replaced([value], stands)
    factors = calculus.jacobians(closed[value], list(stands.values()))
    back: dict[Node, Node] = replaced(factors, {stand: node for node, stand in stands.items()})
    return [back[factor] for factor in factors]
