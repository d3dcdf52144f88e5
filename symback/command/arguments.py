"""What is typed: the parsers of the three commands, with examples in their help."""

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from symback.errors.command import usage

PROGRAM = "python -m symback"
FORMS = ("text", "latex", "document", "markdown", "html", "pdf")

_TARGET = """the loss: a function of NumPy arrays, written module:function or path/file.py:function (the module is
imported, with the working directory on the path), or a formula in text, such as "sum((W @ x - y)**2)/2"; statements
before the last, divided by semicolons, give names: "z = W @ x; sum(z**2)". A formula is parsed, never run."""
_SHAPE = """the shape of each array: W=h,n; sizes are names or integers; a number has none: c="""
_EXAMPLES = f"""\
examples:
  {PROGRAM} check "sum((W @ x - y)**2)/2" --shape W=h,n x=n y=h --wrt W
  {PROGRAM} check model:loss --shape W=h,n x=n y=h --wrt W --against model:gradient
  {PROGRAM} emit model:loss --shape W=3,4 x=4 y=3 -o gradient.py
  {PROGRAM} derive "sum((sigmoid(W@x+b)-y)**2)/2" --wrt W,b --shape W=h,n b=h x=n y=h

Each command has its own --help. Exit codes: 0 done (check: passed), 1 check: the gradient is wrong (derive --verify: a
line does not hold), 2 bad usage or input, 3 check: undecided, 130 interrupted.
"""
_CHECK = f"""\
examples:
  {PROGRAM} check "sum(softplus(W @ x))" --shape W=h,n x=n
  {PROGRAM} check path/model.py:loss --shape W=h,n x=n y=h --against path/model.py:gradient
  {PROGRAM} check model:loss --shape W=h,n x=n --size h=20 n=30 --dtype float32 --json
  {PROGRAM} check model:loss --gradient model:gradient --at point.npz
  {PROGRAM} check "sum(relu(x))" --shape x=n --at point.npz --method taylor,mpmath --order 2

Exit code: 0 passed, 1 failed, 2 bad usage or input, 3 undecided.
"""
_EMIT = f"""\
examples:
  {PROGRAM} emit "sum((W @ x - y)**2)/2" --shape W=h,n x=n y=h --wrt W
  {PROGRAM} emit model:loss --shape W=h,n x=n --what gradient --style fast -o gradient.py
  {PROGRAM} emit "z = W @ x; sum(tanh(z))" --shape W=h,n x=n --form latex
"""
_DERIVE = f"""\
examples:
  {PROGRAM} derive "sum((sigmoid(W@x+b)-y)**2)/2" --wrt W,b --shape W=h,n b=h x=n y=h
  {PROGRAM} derive "z = W @ x; sum(z**2)" --wrt W --shape W=h,n x=n --notation index --verify
  {PROGRAM} derive model:loss --shape W=h,n x=n --order 2 --wrt x -o page.html
"""
_PAIR = re.compile(r"\s*\w+\s*=[^;@]*|[\w,\s]*")
"""What ``--shape`` and ``--size`` take, or what may be meant for it."""
_OF_FORMULAS = re.compile(r"-[^-].*[()\[\]*@+;]", re.DOTALL)


class _Parser(argparse.ArgumentParser):
    """Raises what symback raises."""

    def error(self, message: str) -> NoReturn:
        """Raise."""
        minus = message.startswith("unrecognized arguments: -") and message[25:26] != "-"
        cure = "; a formula that begins with a minus sign goes into parentheses" if minus else ""
        raise usage(message + cure)


def parsed(arguments: Sequence[str], version: str) -> argparse.Namespace:
    """Return the arguments of a command.

    Raises:
        InputError: If they cannot be read.
        SystemExit: After ``--help`` and ``--version``, which print.
    """
    given = _parser(version).parse_args([_protected(text) for text in arguments])
    if given.target is None:
        _take_target(given)
    return given


def _take_target(given: argparse.Namespace) -> None:
    """Take the target from the end of the shapes or sizes that it was written behind, if it can be none of them."""
    for items in (given.shape, given.size):
        if items and not _PAIR.fullmatch(items[-1]):
            given.target = items.pop()
            return


def _protected(text: str) -> str:
    """Put a space before a formula that begins with a minus sign, so that it is taken for no option."""
    return f" {text}" if _OF_FORMULAS.match(text) else text


def _parser(version: str) -> _Parser:
    parser = _Parser(
        prog=PROGRAM, description="Gradients of NumPy functions and formulas: checked, emitted as code, derived.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"symback {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="check|emit|derive", parser_class=_Parser)
    _add_check(_command(commands, "check", "compare the gradient with numbers", _CHECK))
    _add_emit(_command(commands, "emit", "print the NumPy code, or the formulas, of value and gradient", _EMIT))
    _add_derive(_command(commands, "derive", "print the derivation of the gradient", _DERIVE))
    return parser


def _command(commands: Any, name: str, purpose: str, examples: str) -> _Parser:
    command: _Parser = commands.add_parser(
        name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    command.add_argument("target", metavar="TARGET", nargs="?", help=_TARGET)
    command.add_argument("--formula", action="store_true", help="TARGET is a formula, whatever it looks like")
    _add_many(command, "--shape", "W=h,n", _SHAPE)
    command.add_argument("--wrt", action="append", metavar="W,b", default=[],
                         help="by which arrays to differentiate; all float arrays if left out")  # fmt: skip
    _add_many(command, "--dtype", "x=float32", "dtypes by name, or one for all float arrays; float64 if left out")
    _add_many(command, "--size", "n=4", "integers for symbolic sizes")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("--traceback", action="store_true", help="show where an error arose")
    return command


def _add_many(command: _Parser, option: str, form: str, purpose: str) -> None:
    command.add_argument(option, action="extend", nargs="+", metavar=form, default=[], help=purpose)


def _add_check(command: _Parser) -> None:
    add = command.add_argument  # fmt: off
    add(
        "--method",
        action="append",
        metavar="NAME",
        default=[],
        help="mpmath, five-point, central, forward, ridders, complex, taylor, dot, symmetry; several with commas",
    )
    add("--order", type=int, choices=(1, 2), default=1, help="2 checks the Hessian too")
    add("--gradient", "--against", dest="against", metavar="module:function",
        help="a hand-written gradient, called with the arrays by name, to be checked instead of symback's; with --at "
        "and without --shape, TARGET runs as it is and need not be traceable: loops, branches, JAX, torch")  # fmt: skip
    add("--at", metavar="FILE.npz", help="the point: arrays by name; what is missing is drawn at random")
    add("--seed", type=_seed, default=0, help="of the random point and directions (default 0)")


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no integer from 0")
    return int(text)


def _add_emit(command: _Parser) -> None:
    add = command.add_argument
    add("--what", choices=("value", "gradient", "both"), default="both", help="what is computed (default both)")
    add("--style", choices=("readable", "fast"), default="readable", help="fast: in memory that is there already")
    add("--name", help="the name of the function (default f)")
    add(
        "--form",
        choices=("python", "latex", "html"),
        help="code, or the formulas; by default what -o ends in, else python",
    )
    add("-o", "--save", dest="output", metavar="FILE",
        help="write to a file: code (.py, complete with example and check), .tex or .html")  # fmt: skip


def _add_derive(command: _Parser) -> None:
    add = command.add_argument
    add("--form", choices=FORMS, help="by default what -o ends in, else text")
    add("-o", "--save", dest="output", metavar="FILE", help="write to a file: .txt, .tex, .md, .html or .pdf")
    add("--notation", choices=("matrix", "index"), default="matrix", help="with matrices, or by components")
    add("--order", type=int, choices=(1, 2), default=1, help="2 derives the Hessian too")
    add("--adjoint", choices=("leibniz", "bar", "delta"), default="leibniz", help="how derivatives of the loss look")
    add("--layout", choices=("column", "row"), default="column", help="row: derivatives are transposed")
    add("--verify", action="store_true", help="evaluate every line at random points, and print the residuals")
