"""What every command is given."""

from typing import NamedTuple

from symback.nodes.leaves import Variable
from symback.nodes.node import Node


class Target(NamedTuple):
    """A loss, the variables that are its arguments, and those by which it is differentiated."""

    loss: Node
    inputs: tuple[Variable, ...]
    wrt: tuple[Variable, ...]
