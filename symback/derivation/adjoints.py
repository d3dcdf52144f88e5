r"""How adjoints look in print: as fractions, with a bar, as a delta, or by letters of your own.

Letters stand in for the stem of a name and keep what is written at it: with ``{"phi": r"\omega"}`` the adjoint of
:math:`\phi^{3}` is :math:`\omega^{3}`.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from symback import errors
from symback.errors.derivation import bad_letter, same_letter, unknown_letter
from symback.latex.meaning import Meaning
from symback.latex.terms import ATOM, POSTFIX, Term, transposed
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable
from symback.nodes.looks import checked_look
from symback.nodes.node import Node

Letters = Mapping[Any, str | None]

STYLES = ("leibniz", "bar", "delta")
LAYOUTS = ("column", "row")
SIGNS = (r"\odot", r"\circ")

_STEM = re.compile(r"([A-Za-z]+?)_?\d*(?:_[A-Za-z0-9]+)*_?")


def stem_of(name: str) -> str:
    """Return what is left of a name without its indices.

    Example:
        >>> stem_of("z_2"), stem_of("W1"), stem_of("phi")
        ('z', 'W', 'phi')
    """
    match = _STEM.fullmatch(name)
    return match.group(1) if match else name


def split_look(look: str) -> tuple[str, str]:
    r"""Split a look at its first index, exponent or prime.

    Example:
        >>> split_look(r"\phi^{3}"), split_look(r"\hat{v}"), split_look("W_{1}'")
        (('\\phi', '^{3}'), ('\\hat{v}', ''), ('W', "_{1}'"))
    """
    depth = 0
    for place, sign in enumerate(look):
        depth += (sign == "{") - (sign == "}")
        if depth == 0 and sign in "_^'" and place and look[place - 1] != "\\":
            return look[:place].strip(), look[place:].strip()
    return look.strip(), ""


def checked_adjoint(adjoint: Any) -> str | Letters:
    """Return an option ``adjoint=`` if it is a known style, or a mapping to harmless letters.

    Nodes with a name are known by it: the pass may put others in their places.

    Raises:
        InputError: If it is neither.
        InvalidNameError: If a letter is no harmless, well-formed LaTeX.
    """
    if isinstance(adjoint, Mapping):
        for key, letter in adjoint.items():
            if letter is not None and (not isinstance(letter, str) or not _is_letter(checked_look(letter))):
                raise bad_letter(str(key), letter)
        return {key.label if isinstance(key, (Named, Variable)) else key: look for key, look in adjoint.items()}
    if not isinstance(adjoint, str) or adjoint not in STYLES:
        raise errors.bad_option("derive", "adjoint", adjoint, STYLES)
    return str(adjoint)


def hidden(node: Node, adjoint: str | Letters) -> bool:
    """Is the adjoint of this node to be written out wherever it is used?"""
    if isinstance(adjoint, str) or not isinstance(node, Named):
        return False
    keys = (node.label, node.name, stem_of(node.name))
    return next((adjoint[key] is None for key in keys if key in adjoint), False)


def partial(top: str, bottom: str) -> str:
    r"""Return the derivative of one thing by another, as a fraction; what is a fraction itself is enclosed.

    Example:
        >>> partial("z", "x"), partial(r"\frac{a}{b}", "x")
        ('\\frac{\\partial z}{\\partial x}', '\\frac{\\partial \\left(\\frac{a}{b}\\right)}{\\partial x}')
    """
    top, bottom = (rf"\left({look}\right)" if look.startswith(r"\frac") else look for look in (top, bottom))
    return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"


class AdjointLooks:
    """The symbols of adjoints.

    Args:
        loss: What is differentiated.
        adjoint: A style, or letters by stem, name or node; what has no letter is written as a partial derivative.
        layout: ``"row"`` makes the derivative by a column a row, and that by a matrix its transpose.
        given: The looks of adjoints that have names for other reasons.
    """

    def __init__(
        self, loss: Node, adjoint: str | Letters = "leibniz", layout: str = "column",
        given: Mapping[Node, str] | None = None,
    ) -> None:  # fmt: skip
        self.loss = loss
        self.top = loss.label.look if isinstance(loss, (Named, Variable)) else r"\mathcal{L}"
        self.layout = layout
        self._adjoint = adjoint
        self._given = dict(given or {})

    def is_given(self, node: Node) -> bool:
        """Has the adjoint of this node got a symbol because it is used more than once?"""
        return node in self._given

    def is_letter(self, node: Node) -> bool:
        """Is the adjoint of this node written by a letter, which a reader has to be told at its first use?"""
        return self.is_given(node) or (not isinstance(self._adjoint, str) and self._letter(node, "x") is not None)

    def check(self, named: Collection[Node], quantities: Collection[Node]) -> None:
        """Refuse letters for what is not there, and symbols that cannot be told apart in print.

        Args:
            named: The variables and named nodes.
            quantities: What the loss is differentiated by.

        Raises:
            InputError: If a letter is given for what is no name, stem of names or node of these.
            InvalidNameError: If the symbol of an adjoint is that of another, or of a name.
        """
        names = {node.label.name: node for node in named if isinstance(node, (Named, Variable))}
        if not isinstance(self._adjoint, str):
            known = {*names, *map(stem_of, names), *(node.label for node in names.values()), *quantities}
            for key, letter in self._adjoint.items():
                if letter is not None and key not in known:
                    raise unknown_letter(str(getattr(key, "name", key)), names)
        owners = {node.label.look: name for name, node in names.items()}
        for node in quantities:
            if isinstance(node, (Named, Variable)):
                symbol, owner = self.symbol(node, node.label.look), f"the derivative by {node.name}"
                if owners.setdefault(symbol, owner) != owner:
                    raise same_letter(owners[symbol], owner, symbol)

    def leibniz(self, look: str) -> str:
        """Return the derivative of the loss by something, as a fraction."""
        return partial(self.top, look)

    def symbol(self, node: Node, look: str) -> str:
        """Return the symbol for the derivative of the loss by a node that looks like this."""
        if node in self._given:
            return self._given[node]
        style = self._adjoint
        if style == "delta":
            return rf"\delta_{{{look}}}"
        if style == "bar":
            stem, scripts = split_look(look)
            return rf"\bar{{{stem}}}{scripts}" if _is_one_sign(stem) else rf"\overline{{{stem}}}{scripts}"
        letter = self._letter(node, look) if not isinstance(style, str) else None
        return self.leibniz(look) if letter is None else letter

    def _letter(self, node: Node, look: str) -> str | None:
        assert not isinstance(self._adjoint, str)
        if not isinstance(node, (Named, Variable)):
            return self._adjoint.get(node)
        if node.label in self._adjoint:
            return self._adjoint[node.label]
        if (whole := self._adjoint.get(node.name)) is not None:
            return whole
        letter = self._adjoint.get(stem_of(node.name))
        return None if letter is None else letter + split_look(look)[1]

    def printed(self, node: Node, look: str) -> Term:
        """Return the symbol as it stands on the left of its equation: in row layout that is the transpose."""
        text = self.symbol(node, look)
        column = Term(text, POSTFIX if text.startswith(r"\frac") or "^" in text or "'" in text else ATOM)
        meaning = Meaning("adjoint", data=node)
        turned = self.layout == "row" and 1 <= len(node.shape) <= 2
        return column._replace(meaning=Meaning("transpose", (meaning,)) if turned else meaning)

    def term(self, node: Node, look: str) -> Term:
        """Return the adjoint, of the shape of the node, by its symbol."""
        symbol = self.printed(node, look)
        return transposed(symbol) if self.layout == "row" and 1 <= len(node.shape) <= 2 else symbol


def _is_letter(look: str) -> bool:
    """Does it begin as a symbol does, and not as a number, an index or an exponent?"""
    return re.match(r"[0-9_^']", look.strip()) is None


def _is_one_sign(stem: str) -> bool:
    return len(stem) == 1 or re.fullmatch(r"\\[A-Za-z]+", stem) is not None
