"""Jacobians and Hessians, each factor and each block in the order that costs least.

Where a loss depends on a variable x only through z, and z is a piecewise affine function of x, the second derivative
is a congruence, with J the Jacobian of z by x:

    H_x = J' H_z J

It is used in two places. A variable with many entries that meets the others in a node with few of them, as a matrix
of weights W in z = W x, takes the second derivative by that node. And where a long chain lies between, J is computed
once, and pulled back through the gradient by z: the chain is not passed a second time. Blocks below the diagonal are
those above it, transposed.

Formula: the chain rule for Hessians, e.g. Magnus and Neudecker, Matrix Differential Calculus (2019), chapter 6.
"""

from collections.abc import Sequence

from symback.derive.affine import affine_cuts
from symback.derive.forward import push
from symback.derive.kept import kept
from symback.derive.orders import LEAST_GAIN, Order, entries, labels_of, order_of
from symback.derive.paths import between
from symback.derive.reverse import backpropagate, check_loss, check_output, check_wrt, grad, result_of
from symback.derive.rules import identity_seed
from symback.graph import toposort
from symback.nodes.add import Plus, add, split_coefficient, with_coefficient
from symback.nodes.apply import Named
from symback.nodes.contract import Contract, contract
from symback.nodes.node import Node
from symback.nodes.products import permute
from symback.nodes.shapes import NO_HINTS, Hints, number_of, product
from symback.rewrite.stability import stabilise
from symback.trace import Second

__all__ = ["hessian", "jacobian"]


def jacobian(
    output: Node, wrt: Sequence[Node], *, disconnected: str = "error", order: str = "auto", hints: Hints = NO_HINTS
) -> list[Node]:
    """Return the derivatives of `output` by each of `wrt`, of shape output.shape + wrt.shape."""
    check_wrt("jacobian", [output], wrt, disconnected)
    check_output("jacobian", output)
    (output,) = stabilise([output], wrt)
    return in_order(output, wrt, order=order, hints=hints)


def order_in(output: Node, variable: Node, *, hints: Hints = NO_HINTS) -> Order:
    """Return the order that `jacobian` chooses."""
    return order_of(stabilise([output], [variable])[0], variable, hints=hints)


def in_order(output: Node, wrt: Sequence[Node], *, order: str = "auto", hints: Hints = NO_HINTS) -> list[Node]:
    """Return the derivatives of `output`, as it is, by each of `wrt`."""
    orders = [order_of(output, variable, order, hints) for variable in wrt]
    found: dict[Node, dict[Node, Node]] = {}
    for start in dict.fromkeys(chosen.start for chosen in orders if chosen.name != "forward"):
        below = [variable for variable, chosen in zip(wrt, orders, strict=True) if chosen.start is start]
        found[start] = backpropagate([(start, identity_seed(start.shape, start))], below)
    results = []
    for variable, chosen in zip(wrt, orders, strict=True):
        if chosen.name == "forward":
            results.append(pushed_forward(output, variable))
            continue
        lower = result_of(found[chosen.start].get(variable), variable, chosen.start.shape)
        results.append(lower if chosen.name == "reverse" else chained(output, chosen.start, lower, variable))
    return results


def pushed_forward(output: Node, variable: Node) -> Node:
    """Return a Jacobian in forward mode: the tangents of the output for an identity as tangents of the variable."""
    (pushed,) = push([output], {variable: identity_seed(variable.shape, variable)}, variable.shape)
    lead = len(variable.shape)
    rank = len(pushed.shape)
    moved = permute(pushed, [*range(lead, rank), *range(lead)])
    return result_of(moved, variable, output.shape)


def chained(output: Node, middle: Node, lower: Node, variable: Node) -> Node:
    """Multiply the derivative of `output` by `middle`, found in forward mode, by that of `middle` by `variable`."""
    upper = pushed_forward(output, middle)
    rows, inner, columns = labels_of(output, middle, variable)
    return result_of(
        contract([(upper, rows + inner), (lower, inner + columns)], rows + columns), variable, output.shape
    )


def hessian(
    loss: Node,
    wrt: Sequence[Node],
    *,
    disconnected: str = "error",
    hints: Hints = NO_HINTS,
    trace: list[Second] | None = None,
) -> list[list[Node]]:
    """Return the second derivatives of a scalar, a block for each pair of `wrt`; unconnected blocks are zero.

    Args:
        loss: A node of shape ().
        wrt: Variables or intermediate nodes.
        disconnected: ``"error"`` or ``"zero"``.
        hints: How large symbolic sizes are expected to be.
        trace: Where to record how each block was found; what a block is made of stands before it.
    """
    check_loss(loss, wrt, disconnected)
    (loss,), wrt, release = kept([loss], wrt)
    (loss,) = stabilise([loss], wrt)
    record: list[Second] = []
    routes = [_Route(loss, variable, hints, record) for variable in wrt]
    blocks: dict[tuple[int, int], Node] = {}
    apart = _are_apart(wrt)
    for row, route in enumerate(routes):
        blocks[row, row] = _transposes_last(route.second_derivative())
        columns = [column for column in range(len(wrt)) if column > row or (column < row and not apart)]
        found = route.mixed_derivatives([routes[column] for column in columns])
        for column, block in zip(columns, found, strict=True):
            blocks[row, column] = block
            if apart:
                blocks[column, row] = _transposed(block, wrt[row], wrt[column])
    if trace is not None:
        for one in record:
            ends = release([one.row, one.column, one.row_through, one.column_through])
            trace.append(Second(ends[0], ends[1], ends[2], ends[3], one.is_zero))
    return [release([blocks[row, column] for column in range(len(wrt))]) for row in range(len(wrt))]


def _are_apart(wrt: Sequence[Node]) -> bool:
    """Does no variable depend on another one, so that the order of differentiation does not matter?"""
    inside = set(wrt)
    return not any(part in inside for node in inside for part in toposort(node.operands))


def gradient_of(loss: Node, variable: Node) -> Node:
    """Return the derivative of a scalar as it is differentiated again."""
    return stabilise(grad(loss, [variable], disconnected="zero"), [variable])[0]


def _transposed(block: Node, row: Node, column: Node) -> Node:
    rows, columns = labels_of(row, column)
    return result_of(permute(block, [*columns, *rows]), row, column.shape)


def _transposes_last(block: Node) -> Node:
    """Write ``A + A'`` as one reads it, whichever of the two the sweep has found first."""
    terms = list(block.operands) if isinstance(block, Plus) else []
    rank = len(block.shape) // 2
    for place, term in enumerate(terms):
        core, coefficient = split_coefficient(term)
        if isinstance(core, Contract) and len(core.operands) == 1:
            turned = permute(core, [*range(rank, 2 * rank), *range(rank)])
            upright = with_coefficient(turned, coefficient)
            if turned is core.operands[0] and upright in terms[place:]:
                other = terms.index(upright)
                terms[place], terms[other] = upright, term
    return add(*terms) if terms else block


class _Route:
    """How a variable reaches the loss.

    Attributes:
        path: The nodes between them.
        affine: The nodes that all paths go through and that are affine in the variable, which comes first.
        narrow: That of them with the fewest entries, if these are much fewer than those of the variable.
    """

    def __init__(self, loss: Node, variable: Node, hints: Hints, record: list[Second]) -> None:
        self.loss, self.variable, self.hints, self.record = loss, variable, hints, record
        self.path = between(loss, [variable])
        self.affine = affine_cuts(self.path, [variable])
        narrow = min(self.affine, key=self._width, default=variable)
        gains = entries(narrow, hints) * LEAST_GAIN <= entries(variable, hints)
        self.narrow = narrow if gains else variable

    def _width(self, node: Node) -> tuple[int, bool]:
        return entries(node, self.hints), not isinstance(node, Named)

    @property
    def is_straight(self) -> bool:
        """Is the loss itself affine in the variable, or independent of it?"""
        return not self.path or self.loss in self.affine

    def second_derivative(self) -> Node:
        """Return the second derivative by the variable."""
        if self.is_straight:
            self.record.append(Second(self.variable, self.variable, self.variable, self.variable, is_zero=True))
            return result_of(None, self.variable, self.variable.shape)
        return self._congruence(self.narrow, self) if self.narrow is not self.variable else self._by(self.variable)

    def mixed_derivatives(self, others: Sequence["_Route"]) -> list[Node]:
        """Return the derivatives of the gradient by other variables."""
        blocks: dict[Node, Node] = {}
        for other in others:
            middle = self._shared_with(other)
            if middle is not None:
                blocks[other.variable] = self._congruence(middle, other)
        apart = [other.variable for other in others if other.variable not in blocks]
        (factor,) = in_order(self.narrow, [self.variable], hints=self.hints)
        constant = [variable for variable in apart if not between(factor, [variable])]
        moving = [variable for variable in apart if variable not in constant]
        blocks |= self._derivatives_of_gradient(self.variable, moving)
        for variable in constant if self.narrow is not self.variable else ():
            self.record.append(Second(self.narrow, variable, self.narrow, variable))
        for variable in apart:
            through = self.narrow if variable in constant else self.variable
            self.record.append(Second(self.variable, variable, through, variable))
        for variable, inner in self._derivatives_of_gradient(self.narrow, constant).items():
            a, rows, columns = labels_of(self.narrow, self.variable, variable)
            found = contract([(factor, a + rows), (inner, a + columns)], rows + columns)
            blocks[variable] = result_of(found, variable, self.variable.shape)
        return [blocks[other.variable] for other in others]

    def _derivatives_of_gradient(self, start: Node, wrt: Sequence[Node]) -> dict[Node, Node]:
        found = in_order(gradient_of(self.loss, start), wrt, hints=self.hints) if wrt else []
        return dict(zip(wrt, found, strict=True))

    def _shared_with(self, other: "_Route") -> Node | None:
        """Return a node with few entries through which alone both variables reach the loss, affine in them together."""
        for one, two in ((self, other), (other, self)):
            if one.narrow is not one.variable and one.narrow in two.affine and not one.is_straight:
                both = [one.variable, two.variable]
                if one.narrow in affine_cuts(between(one.narrow, both), both):
                    return one.narrow
        return None

    def _congruence(self, middle: Node, other: "_Route") -> Node:
        """Return the derivative by the variable and that of another route from that by a node that both go through."""
        inner = self._by(middle)
        self.record.append(Second(self.variable, other.variable, middle, middle))
        left, right = (in_order(middle, [route.variable], hints=self.hints)[0] for route in (self, other))
        a, b, rows, columns = labels_of(middle, middle, self.variable, other.variable)
        found = contract([(left, a + rows), (inner, a + b), (right, b + columns)], rows + columns)
        return result_of(found, other.variable, self.variable.shape)

    def _by(self, start: Node) -> Node:
        """Return the second derivative by an affine node, by way of the one beyond it that saves most, if one does."""
        end = self._best_end(start)
        straight = end is start
        self.record.append(Second(end, end, end, end))
        if not straight:
            self.record.append(Second(start, start, end, end))
        (loss,), (start, end), release = kept([self.loss], [start, start if straight else end])
        if straight:
            return release(in_order(gradient_of(loss, start), [start], hints=self.hints))[0]
        (factor,) = in_order(end, [start], hints=self.hints)
        inner, rows, columns = labels_of(end, start, start)
        lead = permute(factor, [*range(len(inner), len(inner) + len(rows)), *range(len(inner))])
        pulled = backpropagate([(gradient_of(loss, end), lead)], [end]).get(end)
        second = (result_of(pulled, end, start.shape), columns + inner)
        found = result_of(contract([(factor, inner + rows), second], rows + columns), start, start.shape)
        return release([found])[0]

    def _best_end(self, start: Node) -> Node:
        """Return the affine node from which a second pass to `start` costs most beyond a product with its Jacobian."""
        affine, width = set(self.affine), entries(start, self.hints)
        best, most, passed = start, 0, 0
        for node in self.path[self.path.index(start) + 1 :]:
            passed += _cost(node, self.hints)
            saved = passed - LEAST_GAIN * width * entries(node, self.hints) if node in affine else 0
            if saved > most:
                best, most = node, saved
        return best


def _cost(node: Node, hints: Hints) -> int:
    """Count the products that one cotangent takes part in when it passes a node."""
    if isinstance(node, Contract):
        return number_of(product(node.label_sizes().values()), hints)
    return entries(node, hints)
