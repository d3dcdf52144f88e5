r"""Any node as LaTeX, in matrix notation and with the user's names.

Nothing here recurses: texts are folded over the part of the graph that is printed, each node once. An
expression that grows long gets an auxiliary name, t with an index; what lies too deep is cut with dots.

=============================  ====================================================
in the graph                   in print
=============================  ====================================================
``A @ x``, ``A.T @ x``         ``A x``, ``A^{\top} x``
``a * b``, ``a**2``            ``a \odot b``, ``a^{\odot 2}`` (scalars: ``a b``, ``a^{2}``)
``sum(r * r)``                 ``\lVert r \rVert^{2}`` (matrices: ``\lVert R \rVert_F^{2}``)
``sum(a * b)``                 ``a^{\top} b`` (matrices: ``\langle A, B \rangle_F``)
``sum(x)``, ``sum(X, axis=0)`` ``\mathbf{1}^{\top} x``, ``X^{\top} \mathbf{1}``
``X + b``, b in every row      ``X + \mathbf{1} b^{\top}``
``X * b``, ``(X.T * s) @ X``   ``X \operatorname{diag}(b)``, ``X^{\top} \operatorname{diag}(s) X``
a Jacobian of four axes        ``A \otimes B``, its first two axes as rows (see `symback.latex.networks`)
products of other kinds        ``\left[\sum_{k} A_{ik} B_{kj}\right]_{ij}``
=============================  ====================================================
"""

from collections import Counter, deque
from collections.abc import Collection, Mapping
from typing import Any

from symback.graph import toposort
from symback.latex.broadcasting import ones_term, spread
from symback.latex.functions import function_term
from symback.latex.indices import index_letter
from symback.latex.meaning import Meaning
from symback.latex.products import product_term
from symback.latex.terms import ATOM, DOTS, Term, added, juxtaposed, look_term, nesting, number_term, size_term
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Named
from symback.nodes.contract import Contract
from symback.nodes.labels import Label
from symback.nodes.leaves import Constant, Exact, Ones, Size, Variable, exact
from symback.nodes.looks import checked_look, latex_name
from symback.nodes.node import HOOKS, Node
from symback.page.blocks import Formula

_MOST_CHARACTERS = 300
_MOST_CHARACTERS_SHARED = 60
MOST_NESTED = 5
_MOST_NODES = 400
_MOST_TERMS = 40
_MOST_DEFINITIONS = 30
_MOST_ENTRIES = 16
_MOST_AXES = 2


def look_of(label: Label) -> str:
    """Return the look of a name: the one that was given, if it is safe to print, or the one the name has.

    Raises:
        InvalidNameError: If the look that was given is no harmless, well-formed LaTeX.
    """
    return latex_name(label.name) if label.latex is None else checked_look(label.latex)


def latex(node: Node) -> str:
    r"""Return a node in matrix notation.

    A named node and a variable are printed by name. An expression too long for a line is printed as an
    ``aligned`` block: definitions of its long parts, then the expression; one that is deeper than a
    reader would follow ends in dots.

    Args:
        node: Of any shape.

    Raises:
        InvalidNameError: If a look given by ``latex=`` is no harmless, well-formed LaTeX.

    Example:
        >>> import symback as sb
        >>> W, x, b = sb.tensor("W", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("b", ("m",))
        >>> print(latex(sb.sigmoid(W @ x + b)))
        \sigma\left(W x + b\right)
    """
    printer = Printer()
    return _with_definitions(printer, "", printer.write(node))


def displayed(node: Node) -> str:
    r"""Return a node as a notebook shows it: of a name what it stands for, anything else as `latex` prints it.

    Example:
        >>> import symback as sb
        >>> W, x = sb.tensor("W", ("m", "n")), sb.tensor("x", ("n",))
        >>> print(displayed(sb.let("z", W @ x)))
        z = W x
    """
    printer = Printer()
    if not isinstance(node, Named):
        return _with_definitions(printer, "", printer.write(node))
    return _with_definitions(printer, look_of(node.label), printer.define(node))


def _with_definitions(printer: "Printer", left: str, text: str) -> str:
    """Put what the printer has defined above a formula, aligned at the signs of equality."""
    if not printer.definitions:
        return f"{left} = {text}" if left else text
    lines = [rf"{name.text} &= {value.text}" for name, value in printer.definitions[-_MOST_DEFINITIONS:]]
    if len(printer.definitions) > _MOST_DEFINITIONS:
        lines.insert(0, r"& \vdots")
    last = f"{left} &= {text}" if left else f"& {text}"
    return "\\begin{aligned}\n" + " \\\\\n".join([*lines, last]) + "\n\\end{aligned}"


class Printer:
    """Writes nodes of one graph, each part once.

    Args:
        names: Looks for nodes that have no name of their own, such as the expression under a name, or that are
            printed otherwise than by their name; a term, where a look alone does not say how it is transposed.
        avoid: Looks that auxiliary names and indices must not take.
        most_nodes: How many nodes one call looks at, and dots stand for the others; None if nothing may be cut.
        most_nested: A function with so many parentheses one in another gets an auxiliary name; with 1, sums of such
            that are used more than once get one too.

    Attributes:
        definitions: The auxiliary names with what they stand for, in the order of their making.
    """

    def __init__(
        self,
        names: Mapping[Node, str | Term] | None = None,
        avoid: Collection[str] = (),
        most_nodes: int | None = _MOST_NODES,
        most_nested: int = MOST_NESTED,
    ) -> None:
        self.definitions: list[tuple[Formula, Formula]] = []
        self._terms: dict[Node, Term] = {
            node: _named(look, node) if isinstance(look, str) else look for node, look in (names or {}).items()
        }
        self._auxiliary: set[Node] = set()
        self._numbers: Counter[str] = Counter()
        self._named = frozenset(self._terms)
        self._looks = set(avoid)
        self._most_nodes = most_nodes
        self._most_nested = most_nested

    def call(self, node: Node, term: Term) -> None:
        """Print a variable by this from now on."""
        self._terms[node] = term

    def write(self, node: Node) -> str:
        """Return the text of a node: its name, if it has one."""
        return self.term(node).signed()

    def define(self, node: Node) -> str:
        """Return the text of what a node is made of, also if it has a name, as a side of an equation."""
        return self.defined_term(node).side()

    def within(self, node: Node, level: int) -> str:
        """Return the text of a node as part of something that binds at `level` (see `symback.latex.terms`)."""
        return self.term(node).within(level)

    def formula(self, node: Node) -> Formula:
        """Return a node in print, by its name if it has one, with what the print says."""
        return formula_of(self.term(node))

    def defined(self, node: Node) -> Formula:
        """Return what a node is made of in print, also if it has a name, with what the print says."""
        return formula_of(self.defined_term(node))

    def term(self, node: Node) -> Term:
        """Return a node in print as a part of something larger: its name, if it has one."""
        return self._named_term(node) if self.by_name(node) else self._defined(node)

    def defined_term(self, node: Node) -> Term:
        """Return what a node is made of as a part of something larger, also if it has a name."""
        return self._defined(node.operands[0] if isinstance(node, Named) else node)

    def _named_term(self, node: Node) -> Term:
        found = self._terms.get(node)
        return self._open(node) if found is None else found

    def _defined(self, root: Node) -> Term:
        """Write a node by its operands; the texts of those are kept."""
        reached = self._region(root)
        order = toposort([root], stops=_Ends(root, reached, self._terms, self))
        users = Counter(operand for node in order if node in reached for operand in set(node.operands))
        for node in order:
            if node is not root and node not in self._terms and node in reached:
                most = _MOST_CHARACTERS if users[node] == 1 else _MOST_CHARACTERS_SHARED
                self._terms[node] = self._shortened(node, self._open(node), most, shared=users[node] > 1)
        return self._open(root)

    def _region(self, root: Node) -> set[Node]:
        """Return the nodes nearest to `root` that are not printed by a name, as many as one call looks at."""
        reached: set[Node] = set()
        queue = deque([root])
        while queue and (self._most_nodes is None or len(reached) < self._most_nodes):
            node = queue.popleft()
            if node in reached or (node is not root and node in self._terms):
                continue
            reached.add(node)
            if isinstance(node, (Named, Variable)):
                self._looks.add(look_of(node.label))
            if node is root or not self.by_name(node):
                queue.extend(node.operands)
        return reached

    def _shortened(self, node: Node, term: Term, most: int, *, shared: bool) -> Term:
        """Give an expression of more than `most` characters, or of many parentheses one in another, a name."""
        if not node.operands or (len(term.text) <= most and not self._is_nested(node, term, shared=shared)):
            return term
        name = self._fresh("t")
        made = _named(name, node)
        self.definitions.append((formula_of(made), formula_of(term)))
        self._auxiliary.add(node)
        return made

    def _is_nested(self, node: Node, term: Term, *, shared: bool) -> bool:
        if isinstance(node, Plus) and self._most_nested == 1:
            return shared and any(operand in self._auxiliary for operand in node.operands)
        return isinstance(node, Apply) and nesting(term.text) >= self._most_nested

    def _fresh(self, letter: str) -> str:
        """Return a letter with the next index that no name has."""
        number = self._numbers[letter] + 1
        while f"{letter}_{{{number}}}" in self._looks:
            number += 1
        self._numbers[letter] = number
        look = f"{letter}_{{{number}}}"
        self._looks.add(look)
        return look

    # -- what products ask for ---------------------------------------------------------------

    def operand(self, node: Node) -> Term:
        """Return the text of an operand; dots, if it lies too deep."""
        return self._terms.get(node, DOTS)

    def by_name(self, node: Node) -> bool:
        """Is this node printed by a name?"""
        return isinstance(node, (Named, Variable)) or node in self._named or node in self._auxiliary

    def index(self, number: int) -> str:
        """Return the letter of an index."""
        return index_letter(number, frozenset(self._looks))

    # -- one kind of node each -----------------------------------------------------------------

    def _open(self, node: Node) -> Term:
        """Write a node from the texts of its operands."""
        term = self._written(node)
        return term if node.shape or term.flipped else term.symmetric()

    def _written(self, node: Node) -> Term:
        if isinstance(node, (Named, Variable)):
            return _named(look_of(node.label), node)
        if isinstance(node, Contract):
            return product_term(node, self)
        if isinstance(node, Plus):
            return self._sum(node)
        if isinstance(node, Apply):
            return function_term(node, [self.operand(operand) for operand in node.operands], self._looks)
        return self._leaf(node)

    def _sum(self, node: Plus) -> Term:
        is_cut = self._most_nodes is not None and len(node.operands) > _MOST_TERMS
        terms = [self._summand(operand, node) for operand in node.operands[: _MOST_TERMS if is_cut else None]]
        if is_cut:
            terms[-2:] = [DOTS, self._summand(node.operands[-1], node)]
        return added(terms)

    def _summand(self, operand: Node, node: Plus) -> Term:
        """Write a term as it is broadcast; only numbers stand for an array of them."""
        term = self.operand(operand)
        repeats = any(size != 1 for size in node.shape)
        single = all(size == 1 for size in operand.shape) and (not operand.shape or len(node.shape) <= _MOST_AXES)
        if repeats and single and not isinstance(operand, Exact):
            return juxtaposed(term.bare(), ones_term(node.shape))._replace(negative=term.negative)
        return spread(term, operand.shape, node.shape)

    def _leaf(self, node: Node) -> Term:
        if isinstance(node, Exact):
            return number_term(node.value)
        if isinstance(node, Size):
            return size_term(node.size)
        if isinstance(node, Constant):
            return self._constant(node)
        assert isinstance(node, Ones), type(node)
        return ones_term(node.shape)

    def _constant(self, node: Constant) -> Term:
        """Write the entries of a small array; a large one gets a name."""
        array, meaning = node.array, Meaning("value", data=node)
        if array.ndim == 0:
            return _entry(array)
        if array.ndim <= 2 and 0 < array.size <= _MOST_ENTRIES:
            rows = array.reshape(-1, 1) if array.ndim == 1 else array
            entries = [" & ".join(_entry(entry).signed() for entry in row) for row in rows]
            return Term(r"\begin{bmatrix} " + r" \\ ".join(entries) + r" \end{bmatrix}", ATOM, meaning=meaning)
        name = self._fresh("C")
        words = rf"\text{{a constant array of shape }} ({', '.join(map(str, array.shape))})"
        self.definitions.append((Formula(name, meaning), Formula(words, meaning)))
        return Term(name, ATOM, meaning=meaning)


def formula_of(term: Term) -> Formula:
    """Return a piece as a side of an equation: its text with its sign, and what that says."""
    return Formula(term.side(), term.says())


def _named(look: str, node: Node) -> Term:
    """Return a name in print, which means the node that it stands for."""
    term = look_term(look, Meaning("value", data=node))
    return term if node.shape else term.symmetric()


def _entry(value: Any) -> Term:
    """Write an entry of a constant."""
    if value.dtype.kind == "b":
        return Term(r"\mathrm{true}" if value else r"\mathrm{false}", ATOM, meaning=Meaning("number", data=int(value)))
    return number_term(exact(value.item()).value)


class _Ends:
    """Where a walk for printing stops: at names, at texts that are known, and where it has gone far enough."""

    def __init__(self, root: Node, reached: set[Node], known: Mapping[Node, Term], printer: Printer) -> None:
        self._root, self._reached, self._known, self._printer = root, reached, known, printer

    def __contains__(self, node: object) -> bool:
        if node is self._root:
            return False
        return node in self._known or node not in self._reached or self._printer.by_name(node)  # type: ignore[arg-type]


HOOKS["latex"], HOOKS["displayed"] = latex, displayed
