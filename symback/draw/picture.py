"""What is drawn: boxes and arrows, before anything has a place.

Nothing here knows what a node is. A picture has up to two halves: the forward pass, which is drawn from top to bottom,
and the backward pass at its right, from bottom to top, with each adjoint in the row of its quantity.
"""

from dataclasses import dataclass

KINDS = ("variable", "constant", "operation", "result", "adjoint")
"""What a box stands for; each kind has a shape of its own."""


@dataclass(frozen=True, slots=True)
class Box:
    """A vertex of a picture.

    Attributes:
        kind: One of `KINDS`.
        lines: Its text, a line each, in Unicode.
        shape: The shape of the array, as text.
        title: What a pointer that rests on it shows.
        backward: Does it belong to the backward pass?
        beside: The number of the forward box that this is the adjoint of; None if there is none.
        strong: Is it an output, or a variable that was asked for?
    """

    kind: str
    lines: tuple[str, ...]
    shape: str
    title: str
    backward: bool = False
    beside: int | None = None
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes, and arrows from an operand to what is computed from it, as pairs of numbers of boxes.

    Attributes:
        title: A line that says what is shown.
        boxes: In an order that depends on the graph alone; arrows make no cycle.
        arrows: Pairs (operand, user), each once.
    """

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[tuple[int, int], ...]

    @property
    def has_backward(self) -> bool:
        """Is there a backward half?"""
        return any(box.backward for box in self.boxes)

    def crosses(self, arrow: tuple[int, int]) -> bool:
        """Does this arrow go from one half to the other?"""
        tail, head = arrow
        return self.boxes[tail].backward != self.boxes[head].backward
