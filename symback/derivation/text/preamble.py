r"""What a derivation says before its first line: the quantities with their shapes, the layout, and the notation."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from symback.derivation.record import Record
from symback.derivation.text.layers import stated
from symback.graph import toposort
from symback.nodes.apply import Map, Named
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable
from symback.nodes.looks import latex_size
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr
from symback.page.blocks import Equation, Formula

_ENTRYWISE = r"\^\{\\odot"
_NUMBERED = re.compile(r"([^{}]*[_^]\{)(\d+)(\}[^{}]*)")
_INDEXED = re.compile(r"_\{?\d")
_LEAST_IN_A_ROW = 4

_NOTES = (
    (r"\\(odot|circ)(?= )", r"$\odot$ is the product entry by entry"),
    (_ENTRYWISE, r"functions and powers with $\odot$ are taken entry by entry"),
    (r"\\operatorname\{diag\}", r"$\operatorname{diag}(v)$ has the entries of $v$ on its diagonal"),
    (r"\\mathbf\{1\}", r"$\mathbf{1}$ is a column of ones, and a product with it adds up rows or columns"),
    (r"\\mathbf\{0\}", r"$\mathbf{0}$ is an array of zeros"),
    (r"\\mathbf\{K\}", r"$\mathbf{K}$ is the commutation matrix, which transposes"),
    (r"\\otimes", r"$A \otimes B$ has the entries $A_{ik} B_{jl}$ at the indices $i, j, k, l$"),
    (r"\\right\](?!_)", "a condition in brackets is 1 where it holds and 0 elsewhere"),
    (r"\\right\]_", "brackets with indices hold an array written by its entries, where there is no form with matrices"),
    (r"\\delta_\{[a-z]{2}\}", r"$\delta_{ij}$ is 1 where $i = j$ and 0 elsewhere"),
    (r"\\operatorname\{embed\}", r"$\operatorname{embed}$ puts an array into zeros, where its index says"),
    (r"_\{[^{}]*:[^{}]*\}", "a colon marks a slice as Python counts, from 0; entries are counted from 1"),
    (r"_\{\\text\{direct\}\}", "a direct derivative passes through no other quantity of the list"),
)
"""Remarks on the notation, each for what it explains."""


def shapes(record: Record, look: Callable[[Node], str], letter: str | None = None) -> str:
    r"""Return a sentence with each quantity and the space it is in: ``x \in \mathbb{R}^{n}``.

    Args:
        record: The pass.
        look: The look of each quantity.
        letter: The index with which spaces are stated once that differ from layer to layer; None states each.
    """
    nodes = _by_appearance(record)
    inputs = [node for node in nodes if isinstance(node, Variable)]
    computed = [node for node in nodes if isinstance(node, Named)]
    text = f"Given {'is' if len(inputs) == 1 else 'are'} {_spaces(inputs, look, letter)}." if inputs else ""
    turned = [f"${look(node)}$" for node in inputs if node in record.symmetric]
    text += f" {listed(turned)} {'is' if len(turned) == 1 else 'are'} symmetric." if turned else ""
    verb = "is" if len(computed) == 1 else "are"
    return f"{text} Computed {verb} {_spaces(computed, look, letter)}.".strip() if computed else text


def _spaces(nodes: Sequence[Node], look: Callable[[Node], str], letter: str | None) -> str:
    groups: dict[str, list[str]] = {}
    once = _by_layers(nodes, look, letter)
    for node in nodes:
        space, text = once.get(node, (f"{_space(node)}$", look(node)))
        groups.setdefault(space, []).append(text)
    return listed([rf"${', '.join(in_rows([*dict.fromkeys(looks)]))} \in {space}" for space, looks in groups.items()])


def _by_layers(nodes: Sequence[Node], look: Callable[[Node], str], letter: str | None) -> dict[Node, tuple[str, str]]:
    r"""Return ``\mathbb{R}^{n_{l}}`` for each l, and the look with that index, where spaces change with the layer."""
    changing = [node for node in nodes if _INDEXED.search(_space(node))]
    said = [[Equation(Formula(look(node)), (Formula(_space(node)),))] for node in changing]
    found: dict[Node, tuple[str, str]] = {}
    for group in stated(said, letter):
        (equation,) = group.equations
        space, _, which = equation.sides[0].text.partition(r", \quad ")
        if which:
            found |= {changing[place]: (f"{space}$ for ${which}$", equation.left.text) for place in group.places}
    return found


def _space(node: Node) -> str:
    kind = r"\mathbb{R}" if is_float(node.dtype) else r"\{0, 1\}" if node.dtype.kind == "b" else r"\mathbb{Z}"
    sizes = r" \times ".join(latex_size(size) for size in node.shape)
    return f"{kind}^{{{sizes}}}" if sizes else kind


def _by_appearance(record: Record) -> list[Node]:
    """Return what has a name, each behind what it is computed from, in the order of the forward pass."""
    names = dict[Node, None]()
    for node in record.forward:
        inside = node.operands[0] if isinstance(node, Named) else node
        within = toposort([inside], stops=_Names(inside))
        names |= dict.fromkeys(found for found in (*within, node) if isinstance(found, (Named, Variable)))
    return list(names)


class _Names:
    """Stops a walk at names below the node that it starts from."""

    def __init__(self, top: Node) -> None:
        self._top = top

    def __contains__(self, node: object) -> bool:
        return isinstance(node, Named) and node is not self._top


def in_rows(looks: Sequence[str]) -> list[str]:
    r"""Write four and more looks with successive numbers by the first and the last of them.

    Example:
        >>> in_rows(["x", "b_{1}", "W_{1}", "b_{2}", "b_{3}", "W_{2}", "b_{4}"])
        ['x', 'b_{1}, \\dots, b_{4}', 'W_{1}', 'W_{2}']
    """
    rows: dict[tuple[str, ...], list[int]] = {}
    for look in looks:
        if match := _NUMBERED.fullmatch(look):
            rows.setdefault((match[1], match[3]), []).append(int(match[2]))
    runs = {row: numbers for row, numbers in rows.items() if len(numbers) >= _LEAST_IN_A_ROW and _is_run(numbers)}
    found = dict[str, None]()
    for look in looks:
        match = _NUMBERED.fullmatch(look)
        if match and (numbers := runs.get((match[1], match[3]))):
            look = rf"{match[1]}{numbers[0]}{match[3]}, \dots, {match[1]}{numbers[-1]}{match[3]}"
        found[look] = None
    return list(found)


def _is_run(numbers: Sequence[int]) -> bool:
    return len({new - old for old, new in pairwise(numbers)}) == 1 and abs(numbers[1] - numbers[0]) == 1


def listed(items: Sequence[str]) -> str:
    """Return items as one does in a sentence."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def layout(kind: str, top: str) -> str:
    """Return a sentence that says how derivatives are laid out."""
    if kind == "row":
        return (
            f"Layout: the derivative of ${top}$ by a column is a row, and that by a matrix has the shape of its "
            "transpose (numerator layout); products of the chain rule run from left to right."
        )
    return (
        f"Layout: the derivative of ${top}$ by an array has the shape of that array (denominator layout). In the chain "
        "rule a product of derivatives sums over all entries of the quantity between."
    )


def symbols(style: object, top: str) -> str:
    """Return a sentence that defines the symbols of adjoints, ``""`` where they need none."""
    if style == "bar":
        return rf"A bar marks the derivative of ${top}$: $\bar{{v}} = \partial {top} / \partial v$."
    if style == "delta":
        return rf"$\delta_{{v}}$ is the derivative of ${top}$ by $v$: $\delta_{{v}} = \partial {top} / \partial v$."
    return ""


def examples(record: Record) -> str:
    """Return a sentence on the sizes that inputs have and nothing that is differentiated by: sums run over those."""
    inputs = [node for node in toposort([record.written]) if isinstance(node, Variable) and node not in record.wrt]
    own: set[SizeExpr] = {size for node in record.wrt for size in node.shape}
    leading = dict.fromkeys(node.shape[0] for node in inputs if node.shape)
    found = [
        f"${latex_size(size)}$"
        for size in leading
        if not isinstance(size, int) and size not in own and sum(node.shape[:1] == (size,) for node in inputs) > 1
    ]
    if not found:
        return ""
    return (
        f"No variable has an axis of size {listed(found)}, as the examples of a batch are counted: derivatives sum "
        "over it, in products of matrices or with a column of ones."
    )


def notation(printed: str, sign: str, record: Record) -> str:
    """Return a sentence on the signs that a text uses."""
    whole = toposort([record.written, *record.gradients])
    maps = any(isinstance(node, Map) and node.shape and len(node.operands) == 1 for node in whole)
    notes = [
        note.replace(r"\odot", sign)
        for pattern, note in _NOTES
        if re.search(pattern, printed) or (maps and pattern == _ENTRYWISE)
    ]
    return f"Notation: {'; '.join(notes)}." if notes else ""
