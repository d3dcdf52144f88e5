"""Products within products, multiplied in the cheapest order.

``(A @ B) @ x`` costs mnk operations as it is written, and mn + nk as ``A @ (B @ x)``. A product that sums over
axes is opened together with the products in it that nothing else needs and that have no name, and all their
operands are multiplied in the cheapest order (see `contraction`). What the user wrote stays unless the gain is
real: the cost is of lower order in the symbolic sizes, or `LEAST_GAIN` times smaller at the sizes that hints say.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import count
from typing import NamedTuple

import sympy

from symback.codegen.passes.contraction import Order, Term, Tree, best_order, chain_of, multiplied_in_order
from symback.graph import count_uses, rebuild
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.leaves import Exact, exact, ones_of
from symback.nodes.node import Node
from symback.nodes.shapes import Hints

LEAST_GAIN = 2
"""How many times cheaper another order must be where the order of growth does not decide."""

MOST_OPENED = 24
"""So many operands at most are multiplied in one order."""

MOST_SHARED = 4
"""A product that is used more often than this is formed once for all."""


def reassociate(outputs: Sequence[Node], hints: Hints) -> dict[Node, Node]:
    """Multiply products of products in the cheapest order; return what each node became."""
    grouping = _Grouping(outputs, hints)
    made: dict[Node, Node] = {}

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        group = grouping.groups.get(node)
        if group is not None and group.tree is not None:
            result = group.product(made)
        else:
            result = node.with_operands(operands)
            if isinstance(node, Contract) and grouping.uses[node.operands[-1]] == 1:
                result = _transposed(result)
        made[node] = result
        return result

    return rebuild(outputs, replace)


def _transposed(node: Node) -> Node:
    """Write (A @ B).T as B.T @ A.T: BLAS takes transposed operands for free, and a result need not be copied."""
    if not isinstance(node, Contract) or node.subscripts.summed or not node.subscripts.distinct:
        return node
    coefficient, cores, ones, out = node.parts()
    inner = cores[0][0] if len(cores) == 1 and not ones else None
    if inner is None or cores[0][1] == out or not _opens(inner, node) or len(inner.operands) != 2:
        return node
    assert isinstance(inner, Contract)
    bound = dict(zip(inner.subscripts.out, cores[0][1], strict=True))
    fresh = count(1 + max(out))
    terms = [
        (operand, tuple(bound[label] if label in bound else bound.setdefault(label, next(fresh)) for label in labels))
        for operand, labels in zip(inner.operands, inner.subscripts.inputs, strict=True)
    ]
    return contract([(exact(coefficient), ()), *terms], out) if inner.subscripts.summed else node


# -- products that are opened together --------------------------------------------------------------------


class _Grouping:
    """Which products are opened together: for each that sums over axes its group, if it has more than one member."""

    def __init__(self, outputs: Sequence[Node], hints: Hints) -> None:
        self.groups: dict[Node, _Group] = {}
        self.uses = count_uses(outputs)
        self._hints = hints
        self._owners: dict[Node, dict[Node, None]] = {}
        self._users: dict[Node, list[Node]] = {}
        self._shared: set[Node] = set()
        for node in reversed(self.uses):
            for operand in node.operands:
                if type(operand) is Contract:
                    self._users.setdefault(operand, []).append(node)
            if type(node) is Contract and not (self.uses[node] == 1 and node in self._owners):
                self._place(node)

    def _place(self, node: Contract) -> None:
        """Open a product in all products that use it, or begin a group with it."""
        shared = 1 < self.uses[node] <= MOST_SHARED and self._may_gain(node)
        roots = self._roots_of(node) if shared else []
        if roots:
            closed = [self._group(node), *(self.groups.get(root) or self._group(root) for root in roots)]
            self._shared.add(node)
            opened = [self._group(root) for root in roots]
            if _cheaper(opened, closed, self._hints):
                for group in opened:
                    self._enter(group)
                return
            self._shared.remove(node)
        if node.subscripts.summed and node.subscripts.distinct:
            self._enter(self._group(node) if any(map(self._opens, node.operands)) else None, node)

    def _enter(self, group: "_Group | None", root: Node | None = None) -> None:
        members: Sequence[Node] = group.members if group is not None else [root] if root is not None else []
        if group is not None:
            self.groups[group.root] = group
        for member in members:
            self._owners.setdefault(member, {})[members[0]] = None

    def _roots_of(self, node: Contract) -> list[Contract]:
        """Return the groups that use a product, if nothing else does and it can be opened there."""
        users = self._users.get(node, [])
        if len(users) != self.uses[node]:
            return []
        roots = dict.fromkeys(root for user in users for root in self._owners.get(user, ()))
        fit = all(user in self._owners for user in users) and all(_opens(node, root) for root in roots)
        return [root for root in roots if isinstance(root, Contract)] if fit else []

    def _opens(self, node: Node) -> bool:
        return type(node) is Contract and (self.uses[node] == 1 or node in self._shared) and self._may_gain(node)

    def _may_gain(self, node: Contract) -> bool:
        """Is something else than an entry-by-entry product with an array as large as the result, which must be read?"""
        if node.subscripts.summed:
            return True
        rank = len(node.shape)
        large = [x for x, labels in zip(node.operands, node.subscripts.inputs, strict=True) if len(labels) == rank]
        return all(type(x) is Contract and x.subscripts.summed and self.uses[x] == 1 for x in large)

    def _group(self, root: Contract) -> "_Group":
        return _Group(root, self._opens, self._hints)


def _opens(node: Node, root: Node) -> bool:
    """Can a product be opened in another one without a change of any dtype?"""
    if not isinstance(node, Contract) or type(node.operands[0]) is Exact or not node.is_core:
        return False
    wide = node.dtype.kind in "fiu" and (node.dtype.kind == "f" or node.dtype.itemsize == 8)
    return wide and node.dtype is root.dtype and all(operand.dtype is node.dtype for operand in node.operands)


class _Group:
    """A product with those in it that are opened, and the order to multiply all their operands in.

    Attributes:
        root: The product.
        members: The products that are opened, and the root.
        leaves: The operands with axes, with their labels.
        scalars: The operands without axes.
    """

    def __init__(self, root: Contract, opens: Callable[[Node], bool], hints: Hints) -> None:
        self.root = root
        self.members: list[Contract] = []
        self.leaves: list[Term] = []
        self.scalars: list[Term] = []
        self._hints = hints
        self._opens = opens
        self._parts = root.parts()
        self._fresh = count(1 + max((label for group in root.subscripts.inputs for label in group), default=0))
        self._written: set[int] = set()
        self._kept = tuple(label for label in self._parts.out if label not in self._parts.ones)
        self._visit(root, {label: label for group in root.subscripts.inputs for label in group})

    def _visit(self, node: Contract, names: dict[int, int]) -> None:
        """Take the operands of a product, or open them in turn; they are few, so recursion ends early."""
        first = len(self.leaves)
        self.members.append(node)
        terms = [(core, tuple(names[label] for label in labels)) for core, labels in node.parts().cores]
        for core, labels in terms:
            room = max(len(self.leaves), len(self.members)) + len(core.operands) <= MOST_OPENED
            if not labels:
                self.scalars.append((core, labels))
            elif room and self._opens(core) and _opens(core, self.root):
                assert isinstance(core, Contract)
                inner = dict(zip(core.subscripts.out, labels, strict=True))
                for label in (label for group in core.subscripts.inputs for label in group):
                    if label not in inner:
                        inner[label] = next(self._fresh)
                self._visit(core, inner)
            else:
                self.leaves.append((core, labels))
        self._written.add((1 << len(self.leaves)) - (1 << first))

    @cached_property
    def _as_written(self) -> list["_Work"]:
        works = []
        for member in self.members:
            parts = member.parts()
            terms = [term for term in parts.cores if term[1]]
            if terms:
                works.append(_Work(terms, parts.out, best_order(terms, parts.out, self._hints)))
        return works

    @cached_property
    def _reordered(self) -> "_Work":
        return _Work(self.leaves, self._kept, best_order(self.leaves, self._kept, self._hints, self._written))

    @cached_property
    def tree(self) -> Tree | None:
        """The order to multiply in; None if it is that which the user wrote."""
        known = all(leaf.dtype is self.root.dtype for leaf, _ in self.leaves)
        if len(self.members) == 1 or len(self.leaves) < 2 or not known:
            return None
        return self._reordered.order.tree if _gains([self._reordered], self._as_written, self._hints) else None

    @property
    def work(self) -> list["_Work"]:
        """The products that are formed."""
        return self._as_written if self.tree is None else [self._reordered]

    def product(self, made: dict[Node, Node]) -> Node:
        """Multiply what the operands became in the order found."""
        leaves = [(made[leaf], labels) for leaf, labels in self.leaves]
        scalars = [(made[scalar], labels) for scalar, labels in self.scalars]
        whole, labels = multiplied_in_order(leaves, self._kept, self.tree)
        terms = [(exact(self._parts.coefficient), ()), *scalars, (whole, labels)]
        if self._parts.ones:
            sizes = self.root.label_sizes()
            terms.append((ones_of(tuple(sizes[x] for x in self._parts.ones), self.root.dtype), self._parts.ones))
        return contract(terms, self._parts.out)


# -- what is gained -----------------------------------------------------------------------------------------


class _Work(NamedTuple):
    """A product of `terms` with the labels `out` that is formed in an order."""

    terms: Sequence[Term]
    out: Labels
    order: Order

    def formula(self) -> sympy.Expr:
        """Count the operations in the symbolic sizes."""
        chain = chain_of(self.terms, self.out, lambda size: size)
        return sympy.sympify(chain.cost(self.order.tree), strict=True)


def _cheaper(new: Iterable[_Group], old: Iterable[_Group], hints: Hints) -> bool:
    return _gains([work for group in new for work in group.work], [work for group in old for work in group.work], hints)


def _gains(new: Sequence[_Work], old: Sequence[_Work], hints: Hints) -> bool:
    """Is the gain real: `LEAST_GAIN` at the numbers that sizes count for, or a lower order of growth?"""
    before, after = (sum(work.order.cost for work in works) for works in (old, new))
    if after * LEAST_GAIN <= before:
        return True
    return not hints and after < before and lower_order(*(sum(w.formula() for w in works) for works in (new, old)))


def lower_order(one: sympy.Expr, other: sympy.Expr) -> bool:
    """Does the quotient of two polynomials of sizes go to zero as all sizes grow?

    It does if each term of the first is a proper divisor, but for coefficients, of a term of the second.
    """
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    if not symbols:
        return False
    terms, greater = (sympy.Poly(expression, *symbols).monoms() for expression in (one, other))
    return all(any(term != above and all(map(int.__le__, term, above)) for above in greater) for term in terms)
