"""``python -m symback``: the three commands, with the entry points that each calls."""

import sys
from collections.abc import Sequence
from functools import partial

from symback.api import lambdify
from symback.calculus import grad
from symback.check.gradient import check_grad
from symback.command.check import check
from symback.command.derive import derive
from symback.command.emit import emit
from symback.command.functions import check_function
from symback.command.main import run
from symback.command.target import target_of
from symback.derivation.derive import derive as derivation_of
from symback.rewrite.settle import settle


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: What is typed behind ``python -m symback``; None takes it from the process.
    """
    commands = {
        "check": partial(check, check_grad=check_grad),
        "emit": partial(emit, grad=grad, lambdify=lambdify, settle=settle),
        "derive": partial(derive, derivation_of=derivation_of),
    }
    version = sys.modules["symback"].__version__  # importing it here would be a cycle in the order of layers
    plain = partial(check_function, check_grad=check_grad)
    return run(arguments, version=version, target_of=target_of, commands=commands, check_function=plain)


if __name__ == "__main__":
    sys.exit(main())
