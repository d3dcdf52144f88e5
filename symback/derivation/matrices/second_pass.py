r"""The derivation of a Hessian in closed form: the second pass, from the variables to the gradient.

The gradient of the first pass is a graph like any other, so its derivative is found by the chain rule too: the Jacobian
of each quantity by the variable, operands first, and at the end that of the gradient. Where the pass takes a shorter
way, through a node that is affine in the variable, the congruence is printed that it makes use of:

    H_w = J' H_z J,  with J the derivative of z by w

What is printed is read from the record of the pass (`symback.trace.Second`), block by block, those below the diagonal
left out: they are the transposes of those above it. Matrices are taken as columns, row by row, wherever derivatives by
them are multiplied (`symback.derivation.matrices.jacobians`).

Formula: Magnus and Neudecker, Matrix Differential Calculus (2019), chapters 6 and 10.
"""

from collections.abc import Mapping, Sequence

from symback.derivation.adjoints import AdjointLooks
from symback.derivation.matrices.hessians import Calculus, HessianWriter
from symback.derivation.matrices.jacobians import MOST_AXES
from symback.derivation.matrices.second import SecondStep
from symback.derivation.record import Record
from symback.derive.affine import affine_cuts
from symback.derive.paths import between, fresh_names
from symback.errors.derivation import no_matrix_form
from symback.graph import rebuild, toposort
from symback.nodes.apply import Named
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.trace import Second


def named_middles(loss: Node, wrt: Sequence[Node], calculus: Calculus) -> Node:
    """Return a loss in which the nodes by way of which its Hessian is found have names.

    Args:
        loss: What is differentiated.
        wrt: Variables.
        calculus: What differentiates.
    """
    looks = {node.label.look for node in toposort([loss]) if isinstance(node, (Named, Variable))}
    record: list[Second] = []
    calculus.hessian(loss, wrt, disconnected="zero", trace=record)
    middles = [node for step in record for node in (step.row_through, step.column_through)]
    unnamed = [node for node in dict.fromkeys(middles) if node not in wrt and not isinstance(node, (Named, Variable))]
    unnamed = [node for node in unnamed if node.shape or node is not loss]
    free = (letter for letter in ("z", "u", "v", "s", "r", "q") if letter not in looks)
    names = fresh_names("z", [loss])
    labels = {node: Label(next(free, "") or next(names)) for node in unnamed}

    def name(node: Node, operands: tuple[Node, ...]) -> Node:
        new = node.with_operands(operands)
        return Named(labels[node], new) if node in labels else new

    found: dict[Node, Node] = rebuild([loss], name, {node: node for node in wrt})
    return found[loss]


def second_steps(record: Record, looks: AdjointLooks, calculus: Calculus) -> tuple[SecondStep, ...]:
    """Derive the Hessian of a scalar, a step for each block on and above the diagonal and for what they are made of.

    Args:
        record: The first pass.
        looks: The symbols of adjoints.
        calculus: What differentiates.

    Raises:
        DerivativeError: If a variable has more than two axes.
    """
    for node in record.wrt:
        if len(node.shape) > MOST_AXES:
            raise no_matrix_form(node.short(), str(node.shape))
    trace: list[Second] = []
    rows = calculus.hessian(record.loss, record.wrt, disconnected="zero", trace=trace)
    blocks = {(one, other): rows[i][j] for i, one in enumerate(record.wrt) for j, other in enumerate(record.wrt)}
    routes = _Routes(record.loss, trace, calculus)
    writer = HessianWriter(record, blocks, looks, calculus)
    steps: dict[tuple[Node, Node], SecondStep] = {}
    for given in trace:
        found = routes.by_way_of_known(given, steps)
        flat = not found.row.shape and bool(found.column.shape)  # a column, where one of the two is a number
        if flat:
            found = Second(found.column, found.row, found.column_through, found.row_through, found.is_zero)
        if (found.row, found.column) not in steps:
            steps[found.row, found.column] = writer.step(found)
    return tuple(steps.values())


class _Routes:
    """The nodes by way of which the pass has gone to others."""

    def __init__(self, loss: Node, trace: Sequence[Second], calculus: Calculus) -> None:
        self.loss, self.calculus = loss, calculus
        through = [m for s in trace for v, m in ((s.row, s.row_through), (s.column, s.column_through)) if m is not v]
        self.middles = list(dict.fromkeys(through))

    def by_way_of_known(self, found: Second, steps: Mapping[tuple[Node, Node], SecondStep]) -> Second:
        """Return a block by way of one that is there already: with ``z = W x + b``, that by b is the one by z."""
        row, column = found.row, found.column
        if found.is_zero or found.row_through is not row or found.column_through is not column:
            return found
        for middle in self.middles:
            if middle is row or middle is column:
                continue
            if (middle, middle) in steps and middle in self._affine([row, column]):
                return Second(row, column, middle, middle)
            if (middle, column) in steps and row is not column and middle in self._affine([row]):
                (factor,) = self.calculus.jacobians(middle, [row])
                if not between(factor, [column]):
                    return Second(row, column, middle, column)
        return found

    def _affine(self, nodes: Sequence[Node]) -> list[Node]:
        return affine_cuts(between(self.loss, nodes), nodes)
