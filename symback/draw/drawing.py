"""A drawing, and the function that makes one."""

import os

from symback import errors
from symback.derive import reverse
from symback.draw.boxes import LEVELS, pictured
from symback.draw.dot import dot_of
from symback.draw.mermaid import mermaid_of
from symback.draw.picture import Picture
from symback.draw.scene import Scene, differentiated, scene_of
from symback.draw.svg import svg_of
from symback.errors.page import unknown_suffix
from symback.interop.symbolic.conversion import Conversion
from symback.interop.vectors import one_scalar, outputs_of
from symback.nodes.apply import Named
from symback.page.save import checked_path, write_whole
from symback.rewrite.stability import stabilise
from symback.structure import Nested
from symback.trace import Trace


class Drawing:
    """The picture of a computational graph; a notebook shows it.

    Attributes:
        picture: The boxes and the arrows between them, before they have places.
    """

    __slots__ = ("picture",)

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    def svg(self) -> str:
        """Return the picture as one ``<svg>`` element: a file, or a part of an HTML page.

        It needs nothing outside of itself, follows the reader's choice of a dark page, and has a title and a
        description for those who hear it.
        """
        return svg_of(self.picture)

    def dot(self) -> str:
        """Return the graph in the language of Graphviz, for its own layout and formats."""
        return dot_of(self.picture)

    def mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart, which GitHub and many others draw in Markdown."""
        return mermaid_of(self.picture)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, in the form that its suffix says.

        Args:
            path: With the suffix ``.svg``, ``.dot`` or ``.gv``, ``.mmd``, or ``.md`` for a Markdown file that holds
                the Mermaid flowchart.

        Raises:
            InputError: If it is no path, its suffix is none of these.
            OSError: If the file cannot be written; a file that was there before is still there.
        """
        target = checked_path(path)
        forms = {
            ".svg": self.svg, ".dot": self.dot, ".gv": self.dot, ".mmd": self.mermaid, ".md": self._markdown,
        }  # fmt: skip
        form = forms.get(target.suffix.lower())
        if form is None:
            raise unknown_suffix(path, tuple(forms))
        write_whole(target, form().encode("utf-8"))

    def _markdown(self) -> str:
        return f"```mermaid\n{self.mermaid()}```\n"

    def _repr_svg_(self) -> str:
        return self.svg()

    def __str__(self) -> str:
        boxes, arrows = len(self.picture.boxes), len(self.picture.arrows)
        return f"{self.picture.title}: {boxes} boxes, {arrows} arrows"

    __repr__ = __str__


def draw(outputs: Nested, wrt: Nested | None = None, *, level: str = "auto") -> Drawing:
    """Draw a computational graph; with `wrt`, the reverse pass beside it.

    Weights and other variables are boxes of the graph, as everything is that has a name. The forward pass runs from top
    to bottom. The nodes that the reverse pass appends stand at its right, each adjoint in the row of its quantity, with
    broken arrows from what they use of the forward pass. Boxes tell kinds apart by their shapes: round ends for
    variables, rectangles for named results, ellipses for operations, slanted sides for constants, points for adjoints.

    Args:
        outputs: One node, or a list, tuple or dict of nodes, nested at will; with `wrt` one scalar. Gradients that
            `sb.grad` returned are drawn as a backward pass too.
        wrt: Variables or intermediate nodes: one, or a list, tuple or dict of them.
        level: ``"named"``: a box with its formula for each variable, each name given by `sb.let`, and for unnamed parts
            that are long or shared; ``"all"``: a box for each operation; ``"auto"``: the first, if the graph has names.

    Returns:
        The drawing, with the methods `svg`, `dot`, `mermaid` and `save`.

    Raises:
        DerivativeError: If `wrt` is given and the output is not scalar, does not depend on a variable, or meets a
            primitive without derivative.
        InputError: If there is no output, the level is not known, or there are too many boxes for a picture.
        InvalidNameError: If a look given by ``latex=`` is no harmless, well-formed LaTeX.

    Example:
        >>> import symback as sb
        >>> x, y, z = sb.tensor("x"), sb.tensor("y"), sb.tensor("z")
        >>> q = sb.let("q", x + y)
        >>> print(sb.draw(sb.let("f", q * z), wrt=[x, y, z]).mermaid().splitlines()[2].strip())
        n0(["x<br/>scalar"])
    """
    if level not in ("auto", *LEVELS):
        raise errors.bad_option("draw", "level", level, ("auto", *LEVELS))
    scene = _scene(outputs, wrt)
    if level == "auto":
        level = "named" if any(isinstance(node, Named) and node.operands[0].operands for node in scene.order) else "all"
    return Drawing(pictured(scene, level))


def _scene(outputs: Nested, wrt: Nested | None) -> Scene:
    """Return what is to be drawn; derivatives are made as `sb.grad` makes them."""
    given = Conversion(outputs)
    if wrt is None:
        return scene_of(outputs_of("draw", outputs, given))
    loss, variables = one_scalar("draw", outputs, given), given.nodes(wrt)
    if not variables:
        raise errors.no_variables("draw")
    reverse.check_loss(loss, variables, "error", operation="draw")
    (loss,) = [loss] if given.plain else stabilise([loss], variables)
    trace = Trace()
    gradients = reverse.grad(loss, variables, disconnected="zero", trace=trace)
    return differentiated(loss, variables, gradients, trace)
