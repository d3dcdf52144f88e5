"""What a formula says, as data beside its text, so that each printed line can be evaluated.

A printed name means the node that it stands for; every writer that puts pieces of text together puts their meanings
together in the same step. So what is evaluated is the formula as it is printed, and not the graph it was printed from.
"""

from typing import Any, NamedTuple


class Meaning(NamedTuple):
    """An operation on the meanings of parts.

    Attributes:
        op: The name of the operation, a row of the table of the module that evaluates it.
        parts: What it is applied to.
        data: What else it needs: a node, an exact number, labels.
    """

    op: str
    parts: "tuple[Meaning, ...]" = ()
    data: Any = None
