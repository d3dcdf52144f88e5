r"""Update rules in LaTeX: what takes the place of each parameter, one line each, read from top to bottom.

A gradient that has a name is printed by it, ``\frac{\partial L}{\partial W_{1}}``, and so is every other node named
by the user, behind its definition. A new value that a later line needs is printed by the name of its parameter, as a
reader takes it who has done the lines above; so lines are put in an order in which no line needs a value that is gone.
"""

from collections.abc import Collection, Mapping

from symback.graph import toposort
from symback.latex.printer import Printer, look_of
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable
from symback.nodes.node import Node

__all__ = ["update_latex"]

_ARROW = r"\leftarrow"


def update_latex(updates: Mapping[Variable, Node]) -> str:
    r"""Return an update rule: ``W \leftarrow W - \eta \cdot \frac{\partial \mathcal{L}}{\partial W}``.

    Args:
        updates: For each parameter, or state of an optimizer, its new value.

    Returns:
        One line as it is, several as an ``aligned`` block. Lines that need one another's old values are one line of
        tuples.

    Raises:
        InvalidNameError: If a look given by ``latex=`` is no harmless, well-formed LaTeX.

    Example:
        >>> import symback as sb
        >>> w, eta = sb.tensor("w", ("n",)), sb.tensor("eta")
        >>> print(update_latex({w: w - eta * sb.grad(sb.sum(sb.exp(w)), w)}))
        w \leftarrow w - \eta \cdot \frac{\partial \mathcal{L}}{\partial w}
    """
    remaining, done = dict(updates), dict[Node, Variable]()
    writer = _Lines(updates)
    while remaining:
        group = _next(remaining, done)
        writer.write(group, {node: look_of(variable.label) for node, variable in done.items()})
        for variable in group:
            new = remaining.pop(variable)
            done |= {new: variable} if new.operands else {}
    if len(writer.lines) == 1:
        return writer.lines[0].replace("&", "")
    return "\\begin{aligned}\n" + " \\\\\n".join(writer.lines) + "\n\\end{aligned}"


def _next(remaining: Mapping[Variable, Node], done: Collection[Node]) -> dict[Variable, Node]:
    """Return the update that comes next: it is needed by others, and none needs what it replaces."""
    news = [new for new in remaining.values() if new.operands]
    possible = [
        (variable, new)
        for variable, new in remaining.items()
        if not any(
            variable in _reached(other, {*done, new})
            for target, other in remaining.items()
            if target is not variable and other is not new
        )
    ]
    for variable, new in possible:
        if _reached(new, done).isdisjoint(other for other in news if other is not new):
            return {variable: new}
    return dict(possible[:1] or remaining)


def _reached(node: Node, known: Collection[Node]) -> set[Node]:
    """Return what a line shows: nothing below a gradient that has a name, nor below what is known by a name."""
    return set(toposort([node], stops=_Closed(node, known)))


class _Closed:
    """Stops a walk at named gradients and at known nodes, but for the node it starts from."""

    def __init__(self, root: Node, known: Collection[Node]) -> None:
        self._root, self._known = root, known

    def __contains__(self, node: object) -> bool:
        if node is self._root:
            return False
        return node in self._known or (isinstance(node, Named) and node.label.kind == "adjoint")


class _Lines:
    """Writes lines, each definition once."""

    def __init__(self, updates: Mapping[Variable, Node]) -> None:
        self.lines: list[str] = []
        self._defined: set[Node] = set(updates.values())
        everything = toposort([*updates, *updates.values()])
        self._looks = {look_of(node.label) for node in everything if isinstance(node, (Named, Variable))}

    def write(self, group: Mapping[Variable, Node], names: Mapping[Node, str]) -> None:
        """Write the definitions that a line needs, and the line."""
        for new in group.values():
            for node in toposort([new], stops=_Closed(new, names)):
                if isinstance(node, Named) and node.label.kind != "adjoint" and node not in self._defined:
                    self._defined.add(node)
                    self._line(look_of(node.label), "=", [node], names)
        left = _tuple([look_of(variable.label) for variable in group])
        self._line(left, _ARROW, list(group.values()), names)

    def _line(self, left: str, sign: str, nodes: list[Node], names: Mapping[Node, str]) -> None:
        printer = Printer(names, avoid=self._looks)
        texts = [self._side(printer, node, names) for node in nodes]
        self._looks |= {name.text for name, _ in printer.definitions}
        self.lines += [f"{name.text} &= {value.text}" for name, value in printer.definitions]
        self.lines.append(f"{left} &{sign} {_tuple(texts)}")

    def _side(self, printer: Printer, node: Node, names: Mapping[Node, str]) -> str:
        """Open what is defined on this line; what has a look already keeps it."""
        adjoint = isinstance(node, Named) and node.label.kind == "adjoint"
        return printer.write(node) if adjoint or node in names else printer.define(node)


def _tuple(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else rf"\left({', '.join(texts)}\right)"
