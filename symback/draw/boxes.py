"""From a scene to a picture: the text of each box, and the arrows between boxes."""

from collections.abc import Sequence

from symback.draw.choice import Choice, everything, named
from symback.draw.labels import operation_label, plain, shape_text
from symback.draw.measure import wrapped
from symback.draw.picture import Box, Picture
from symback.draw.scene import Adjoint, Scene
from symback.errors.draw import too_many_boxes
from symback.latex.printer import Printer
from symback.nodes.apply import Named
from symback.nodes.contract import Contract
from symback.nodes.leaves import Variable
from symback.nodes.node import Node

LEVELS = {"named": named, "all": everything}
"""Which nodes have boxes, by the name of the level."""

_MOST_BOXES = 2500
_MOST_SIGNS, _MOST_LINES, _MOST_LISTED = 36, 3, 6


def pictured(scene: Scene, level: str) -> Picture:
    """Return the picture of a scene at a level.

    Raises:
        InputError: If it has more boxes than a picture can hold.
    """
    choice = LEVELS[level](scene)
    count = len(choice.boxed) + len(scene.extra)
    if count > _MOST_BOXES:
        raise too_many_boxes(count, _MOST_BOXES, level)
    return _Pictured(scene, choice, formulas=level == "named").picture()


class _Pictured:
    """Writes the boxes of one scene: formulas, or operations by name."""

    def __init__(self, scene: Scene, choice: Choice, *, formulas: bool) -> None:
        self.scene, self.choice, self.formulas = scene, choice, formulas
        self.numbers = {node: number for number, node in enumerate(choice.boxed)}
        self.of_quantity: dict[Node, int] = {}
        self.boxes: list[Box] = []
        self.arrows: list[tuple[int, int]] = []
        looks = choice.looks
        known = {expression: looks[node] for expression, node in choice.names.items()}
        known |= {node: look for node, look in looks.items() if not isinstance(node, (Named, Variable))}
        self._printer = Printer(known, avoid=looks.values(), most_nodes=None)

    def picture(self) -> Picture:
        """Return the boxes in order, and the arrows."""
        for node in self.choice.boxed:
            below = [self.numbers[operand] for operand in self.choice.nearest(self._operands(node))]
            if node in self.scene.adjoints:
                self.of_quantity[self.scene.adjoints[node]] = len(self.boxes)
            self.arrows += [(number, len(self.boxes)) for number in below]
            self.boxes.append(self._box(node, starts=not below))
        for adjoint in self.scene.extra:
            self._extra(adjoint)
        return Picture(self._title(), tuple(self.boxes), tuple(dict.fromkeys(self.arrows)))

    def _operands(self, node: Node) -> list[Node]:
        """Return what the box of a node shows as its operands."""
        return list(self.choice.inner(node).operands)

    def _box(self, node: Node, *, starts: bool) -> Box:
        kind = "variable" if isinstance(node, Variable) else self._kind(node, starts=starts)
        quantity = self.scene.adjoints.get(node)
        beside = self.numbers.get(quantity) if quantity is not None else None
        lines = self._formula(node) if self.formulas else self._label(node)
        strong = node in self.scene.wanted or node in self.scene.outputs
        backward = node not in self.scene.forward
        return Box(kind, lines, shape_text(node.shape), _title(node), backward, beside, strong)

    def _kind(self, node: Node, *, starts: bool) -> str:
        if isinstance(node, Named):
            return "adjoint" if node.label.kind == "adjoint" else "result"
        if node in self.scene.outputs:
            return "result"
        return "constant" if starts else "operation"

    def _label(self, node: Node) -> tuple[str, ...]:
        """Write a name, and the operation that it is the name of."""
        inner = self.choice.inner(node)
        name = [plain(self.choice.looks[node])] if node in self.choice.looks else []
        if isinstance(inner, (Named, Variable)):
            return tuple(name)
        operation = operation_label(inner, self.choice.subtracted)
        return *name, *wrapped(operation, _MOST_SIGNS, 1)

    def _formula(self, node: Node) -> tuple[str, ...]:
        """Write the formula of a node behind its name."""
        look = self.choice.looks.get(node)
        if isinstance(node, Variable) or (look and not node.operands):
            return (plain(look or ""),)
        made = len(self._printer.definitions)
        formula = plain(self._printer.define(node))
        lines = wrapped(f"{plain(look)} = {formula}" if look else formula, _MOST_SIGNS, _MOST_LINES)
        for name, value in self._printer.definitions[made:]:
            lines += wrapped(f"{plain(name.text)} = {plain(value.text)}", _MOST_SIGNS, _MOST_LINES)
        return lines

    def _extra(self, adjoint: Adjoint) -> None:
        """Draw an adjoint that is no node of its own."""
        name, number = self._derivative(adjoint.quantity), len(self.boxes)
        tails = [self.of_quantity[adjoint.source]] if adjoint.source in self.of_quantity else []
        tails = tails or [self.numbers[node] for node in self.choice.nearest([adjoint.value])]
        if adjoint.source is not None:
            value = self._derivative(adjoint.source)
        else:
            value = plain(self._printer.write(adjoint.value))
        text = f"{name} = {value}" if self.formulas or not tails else name
        beside, wanted = self.numbers.get(adjoint.quantity), adjoint.quantity in self.scene.wanted
        shape = shape_text(adjoint.quantity.shape)
        lines = wrapped(text, _MOST_SIGNS, _MOST_LINES)
        self.boxes.append(Box("adjoint", lines, shape, text, backward=True, beside=beside, strong=wanted))
        self.of_quantity[adjoint.quantity] = number
        self.arrows += [(tail, number) for tail in tails]

    def _derivative(self, quantity: Node) -> str:
        looks, loss = self.choice.looks, self.scene.loss
        above = looks[loss] if loss is not None else ""
        below = looks.get(quantity, r"\cdot")
        return plain(rf"\frac{{\partial {above}}}{{\partial {below}}}")

    def _title(self) -> str:
        outputs = _listed(self.scene.outputs)
        if self.scene.loss is not None:
            return f"The computational graph of {outputs}, and its derivative by {_listed(self.scene.wrt)}"
        return f"The computational graph of {outputs}"


def _listed(nodes: Sequence[Node]) -> str:
    names = [node.short() for node in nodes[:_MOST_LISTED]]
    return ", ".join([*names, "…"] if len(nodes) > _MOST_LISTED else names)


def _title(node: Node) -> str:
    """Say what a box is, for who asks for more than is written on it."""
    inner = node.operands[0] if isinstance(node, Named) else node
    subscripts = f", {inner.subscripts}" if isinstance(inner, Contract) else ""
    shape = ", ".join(map(str, node.shape)) + ("," if len(node.shape) == 1 else "")
    return f"{node.short()}: ({shape}) {node.dtype}{subscripts}"
