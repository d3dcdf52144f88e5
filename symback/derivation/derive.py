r"""The derivation of a gradient, step by step: the record of the reverse pass, printed.

`derive` runs the pass with a trace and groups what it recorded by quantity: every named node and every
variable that was asked for, in the order in which the pass reached them, variables behind the last
quantity that passes something on to them. Nothing is known here about networks.
"""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from symback import errors
from symback.check.sample import is_own_transpose
from symback.derivation.adjoints import LAYOUTS, SIGNS, AdjointLooks, Letters, checked_adjoint
from symback.derivation.components.index import IndexWriter
from symback.derivation.matrices.hessians import Calculus
from symback.derivation.matrices.matrix import MatrixWriter
from symback.derivation.matrices.second import SecondStep
from symback.derivation.matrices.second_pass import named_middles, second_steps
from symback.derivation.record import Record
from symback.derivation.recording import recorded, with_ordinary_names
from symback.derivation.result import Derivation, Style
from symback.derivation.text.descent import descent
from symback.derivation.writing import Writing
from symback.derive.higher import gradient_of, hessian, in_order
from symback.errors.derivation import no_second_in
from symback.graph import toposort
from symback.interop.symbolic.bridge import SympyBridge
from symback.interop.symbolic.explicit import variables_in
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.rewrite.settle import settle
from symback.structure import Nested

NOTATIONS = ("matrix", "index")

_CALCULUS = Calculus(hessian, in_order, gradient_of)
"""What the second pass differentiates with."""

_OPTIONS: dict[str, tuple[Any, ...]] = {
    "notation": NOTATIONS, "layout": LAYOUTS, "hadamard": SIGNS, "order": (1, 2),
}  # fmt: skip
"""The values that options can have."""


def derive(
    loss: Any, wrt: Nested, *, notation: str = "matrix", adjoint: str | Letters = "leibniz", layout: str = "column",
    hadamard: str = r"\odot", update: Any = None, order: int = 1,
) -> Derivation:  # fmt: skip
    r"""Derive the gradient of a scalar by backpropagation, and keep each step.

    Args:
        loss: A node of shape () and a float dtype.
        wrt: Variables or intermediate nodes: one, or a list, tuple or dict of them, nested at will.
        notation: ``"matrix"``, or ``"index"``: by components, with sums over their indices.
        adjoint: How the derivative of the loss by z looks: ``"leibniz"``, a fraction; ``"bar"``, :math:`\bar z`;
            ``"delta"``, :math:`\delta_z`; or letters by name, stem of names or node, ``{"z": r"\delta"}`` for
            :math:`\delta_2` of :math:`z_2`. A letter None: no symbol, the derivative is written out where it is used.
        layout: ``"column"``: a derivative has the shape of what it is taken by; ``"row"``: the transpose of that.
        hadamard: The sign of the product entry by entry: ``\odot`` or ``\circ``.
        update: A learning rate, to end with a step of gradient descent; for other rules see `sb.optim`.
        order: 2 for the Hessian too, in closed form and in matrix notation.

    Raises:
        InputError: If an option is not known, or a variable that is asked for is to have no symbol.
        DerivativeError: If the loss is no scalar, does not depend on a variable, or something has no derivative.
        DtypeError: If a variable is not real-valued.
        InvalidNameError: If a look is no harmless LaTeX, two names look alike, or one name stands for two things.

    Example:
        >>> import symback as sb
        >>> x, w = sb.tensor("x", ("n",)), sb.tensor("w", ("n",))
        >>> a = sb.let("a", sb.tanh(w @ x))
        >>> derivation = derive(sb.let("L", a**2), [a, w])
        >>> print(derivation.steps[0].equation)
        \frac{\partial L}{\partial a} = 2 a
    """
    _check_options(notation=notation, layout=layout, hadamard=hadamard, order=order)
    style = Style(notation, checked_adjoint(adjoint), layout, hadamard)
    node, variables, symmetric = _given(loss, wrt)
    node, *variables = with_ordinary_names([node, *variables])
    node = named_middles(node, variables, _CALCULUS) if order == 2 else node
    return _written(recorded(node, variables, style.adjoint, settle, symmetric), style, update, order)


def _given(loss: Any, wrt: Nested) -> tuple[Node, list[Node], frozenset[Node]]:
    """Return the loss and the variables as nodes, and those that SymPy knows as symmetric matrices."""
    if isinstance(loss, (list, tuple, dict)):
        raise errors.not_one_node("derive", loss)
    bridge = SympyBridge()
    node, variables = bridge.to_loss(loss), [bridge.to_node(leaf) for leaf in variables_in(wrt)]
    if not variables:
        raise errors.no_variables("derive")
    return node, variables, frozenset(node for node, symbol in bridge.symbols.items() if is_own_transpose(symbol))


def _check_options(**given: Any) -> None:
    for option, value in given.items():
        if not isinstance(value, Hashable) or value not in _OPTIONS[option]:
            raise errors.bad_option("derive", option, value, _OPTIONS[option])
    if given["order"] == 2 and given["notation"] != "matrix":
        raise no_second_in(given["notation"])


def _written(made: Record, style: Style, update: Any, order: int) -> Derivation:
    """Write what was recorded."""
    given = {node: label.latex for node, label in made.labels.items() if label.latex}
    looks = AdjointLooks(made.loss, style.adjoint, style.layout, given)
    looks.check(toposort([made.written]), [q.node for q in made.quantities])
    by_entries = IndexWriter(MatrixWriter(made, looks), _jacobian)
    in_matrices = style.notation == "matrix"
    writer = MatrixWriter(made, looks) if in_matrices else by_entries
    writing = Writing(made, writer, by_entries if in_matrices else None, style.hadamard)
    forward, steps = writing.forward(), writing.steps()
    closing = () if update is None else descent(made, looks, as_node(update))
    second = tuple(_signed(step, writing) for step in second_steps(made, looks, _CALCULUS)) if order == 2 else ()
    return Derivation(made, style, forward, steps, looks, closing, second)


def _jacobian(output: Node, variable: Node) -> Node:
    """Differentiate an expression, for its local derivatives."""
    return in_order(output, [variable], order="reverse")[0]


def _signed(step: SecondStep, writing: Writing) -> SecondStep:
    jacobians = tuple(writing.signed(equation) for equation in step.jacobians)
    return replace(step, jacobians=jacobians, equation=writing.signed(step.equation))
