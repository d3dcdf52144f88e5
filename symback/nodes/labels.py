"""Labels: checked names, with their look in LaTeX and who gave them."""

from typing import Any, Self

from symback.errors import names
from symback.nodes.interned import Param
from symback.nodes.looks import NAME, checked_look, latex_name

_LABEL_KINDS = ("let", "adjoint", "tangent", "guard")
"""Who gave a name: the user, or a pass."""


class Label(Param):
    """A checked name and, if given, its look in LaTeX and what it is the name of."""

    __slots__ = ()
    value: tuple[str, str | None, str]

    def __new__(cls, name: str, latex: str | None = None, kind: str = "let") -> Self:
        """Return the label, or raise if the name cannot be used."""
        if not isinstance(name, str) or not NAME.match(name):
            reason = "it is not a string" if not isinstance(name, str) else "it is no ASCII identifier"
            raise names.bad_name(name, reason)
        if latex is not None and not isinstance(latex, str):
            raise names.bad_name(latex, "latex must be a string")
        if latex is not None:
            checked_look(latex)
        if kind not in _LABEL_KINDS:
            raise names.bad_name(name, f"a label is no {str(kind)[:40]!r}")
        return Param.__new__(cls, (name, latex, kind))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Label, self.value

    @property
    def name(self) -> str:
        """The identifier."""
        return self.value[0]

    @property
    def latex(self) -> str | None:
        """The look in print, if one was given."""
        return self.value[1]

    @property
    def look(self) -> str:
        """The look in print: the one that was given, checked again, or the one that the name has."""
        return latex_name(self.name) if self.latex is None else checked_look(self.latex)

    @property
    def kind(self) -> str:
        """``let`` for a name the user gave, ``adjoint`` or ``tangent`` for one that a pass gave."""
        return self.value[2]
