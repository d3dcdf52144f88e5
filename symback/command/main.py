"""From the arguments that are typed to an exit code: a command runs, and what it raises is said in a line or two."""

import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence

from symback.command.arguments import parsed
from symback.command.given import Target
from symback.command.output import complain
from symback.errors import command as messages
from symback.errors.kinds import SymbackError, VerificationError

WRONG, BAD_INPUT, INTERRUPTED = 1, 2, 130
"""Exit codes, beside those of `check`."""

Command = Callable[[Namespace, Target], int]


def run(
    arguments: Sequence[str] | None,
    *,
    version: str,
    target_of: Callable[[Namespace], Target],
    commands: Mapping[str, Command],
    check_function: Callable[[Namespace], int | None],
) -> int:
    """Run a command.

    Args:
        arguments: What is typed behind the name of the program; None takes it from the process.
        version: Of symback.
        target_of: Reads the target.
        commands: By name.
        check_function: What ``check`` does with a function that is not traced; None if it is about a graph.

    Returns:
        The exit code: that of the command, 2 after bad usage or input, 130 after an interruption.

    Raises:
        SystemExit: After ``--help`` and ``--version``.
    """
    typed = sys.argv[1:] if arguments is None else list(arguments)
    try:
        given = parsed(typed, version)
        code = check_function(given)
        return commands[given.command](given, target_of(given)) if code is None else code
    except KeyboardInterrupt:
        complain("symback: interrupted")
        return INTERRUPTED
    except Exception as error:
        if "--traceback" in typed:
            complain("".join(traceback.format_exception(error)).rstrip())
        complain(f"symback: {_said(error)}")
        return WRONG if isinstance(error, VerificationError) else BAD_INPUT


def _said(error: Exception) -> str:
    if isinstance(error, SymbackError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    if isinstance(error, (MemoryError, RecursionError)):
        return f"out of {'memory' if isinstance(error, MemoryError) else 'depth'}: {error or 'the graph is too large'}"
    return messages.unexpected(error)
