"""Which nodes have a box, and by what they are known in the formulas of others."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from symback.draw.labels import FOLDED, is_short, negated, plain, signs
from symback.draw.scene import Scene
from symback.latex.printer import look_of
from symback.nodes.add import Plus
from symback.nodes.apply import Named
from symback.nodes.leaves import Constant, Variable
from symback.nodes.node import Node

_LOSS = r"\mathcal{L}"
_MOST_SIGNS = 44
_MOST_SIGNS_SHARED = 16
_FEWEST_SIGNS = 10
_SIGNS_OF_A_PART = 2


@dataclass(slots=True)
class Choice:
    """The nodes of a scene that have boxes.

    Attributes:
        boxed: Those nodes, in the order of the scene.
        names: For an expression under a name the node of that name, whose box is its own too.
        looks: The LaTeX by which formulas refer to a node with a box.
        subtracted: Terms that are written as subtracted in the label of the sum that uses them.
    """

    boxed: dict[Node, None]
    names: dict[Node, Node]
    looks: dict[Node, str]
    subtracted: Collection[Node] = ()

    def inner(self, node: Node) -> Node:
        """Return what the box of a node says how to compute: of a name the expression under it."""
        return node.operands[0] if isinstance(node, Named) and self.names.get(node.operands[0]) is node else node

    def nearest(self, nodes: Iterable[Node]) -> list[Node]:
        """Return the nodes with boxes that these are or are computed from, from left to right."""
        found: dict[Node, None] = {}
        seen: set[Node] = set()
        pending = list(nodes)[::-1]
        while pending:
            node = pending.pop()
            node = self.names.get(node, node)
            if node in self.boxed:
                found[node] = None
            elif node not in seen:
                seen.add(node)
                pending += node.operands[::-1]
        return list(found)


def everything(scene: Scene) -> Choice:
    """Give each node a box, but for numbers, expressions under a name, and terms that are subtracted in sums only."""
    names, roots = _names(scene), scene.roots
    users: dict[Node, list[Node]] = {}
    for node in scene.order:
        for operand in node.operands:
            users.setdefault(operand, []).append(node)
    subtracted = {
        node
        for node in set(users) - roots - set(names)
        if negated(node) is not None and all(isinstance(user, Plus) for user in users[node])
    }
    boxed = [
        node
        for node in scene.order
        if node in roots or not (isinstance(node, FOLDED) or node in names or node in subtracted)
    ]
    return Choice(dict.fromkeys(boxed), names, _looks(scene, ()), subtracted)


def named(scene: Scene) -> Choice:
    """Give a box to what has a name or was asked for, and to unnamed parts that are long, or shared and not short."""
    names, looks, roots = _names(scene), _looks(scene, ()), scene.roots
    uses = Counter(operand for node in scene.order for operand in set(node.operands))
    boxed = {
        node
        for node in scene.order
        if node in looks or node in roots or (isinstance(node, Constant) and not is_short(node))
    }
    length: dict[Node, int] = {}
    for node in scene.order:
        total = _shortened(node, boxed, names, length) if node.operands else signs(node)
        if node not in boxed and uses[node] > 1 and total > _MOST_SIGNS_SHARED and node not in names:
            boxed.add(node)
        known = names.get(node, node)
        length[node] = len(plain(looks[known])) if known in looks else _SIGNS_OF_A_PART if node in boxed else total
    parts = [node for node in scene.order if node in boxed and node not in looks and (uses[node] or node in scene.wrt)]
    return Choice({node: None for node in scene.order if node in boxed}, names, _looks(scene, parts))


def _shortened(node: Node, boxed: set[Node], names: dict[Node, Node], length: dict[Node, int]) -> int:
    """Give boxes to operands, the longest first, until the formula is short; return how many signs it has."""
    total = signs(node) + sum(length[operand] for operand in node.operands)
    for operand in sorted(dict.fromkeys(node.operands), key=length.__getitem__, reverse=True):
        if total <= _MOST_SIGNS or length[operand] < _FEWEST_SIGNS:
            break
        if operand not in boxed and operand not in names and operand.operands:
            total -= node.operands.count(operand) * (length[operand] - _SIGNS_OF_A_PART)
            boxed.add(operand)
            length[operand] = _SIGNS_OF_A_PART
    return total


def _names(scene: Scene) -> dict[Node, Node]:
    """Return the node of the name for each expression that has one; a name given by the backward pass stays there."""
    names: dict[Node, Node] = {}
    for node in scene.order:
        if isinstance(node, Named):
            expression = node.operands[0]
            within = (node in scene.forward) == (expression in scene.forward)
            if expression.operands and not isinstance(expression, Named) and within:
                names.setdefault(expression, node)
    return names


def _looks(scene: Scene, parts: Iterable[Node]) -> dict[Node, str]:
    """Return the looks of names, and new ones for parts that have none."""
    looks = {node: look_of(node.label) for node in scene.order if isinstance(node, (Named, Variable))}
    if scene.loss is not None:
        looks.setdefault(scene.loss, _LOSS)
    taken = set(looks.values())
    numbers = {"t": 0, "C": 0}
    for node in parts:
        letter = "C" if isinstance(node, Constant) else "t"
        while node not in looks:
            numbers[letter] += 1
            look = f"{letter}_{{{numbers[letter]}}}"
            if look not in taken:
                looks[node] = look
    return looks
