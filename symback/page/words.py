"""Text with inline mathematics between dollar signs, taken apart."""

import re
from collections.abc import Callable

_PIECE = re.compile(r"\\\$|\$((?:[^$\\]|\\.)*)\$|[^$\\]+|.", re.DOTALL)

_WORD = re.compile(r"(?:\\\$|\$(?:[^$\\]|\\.)*\$|\S)+")


def plain(text: str) -> str:
    r"""Return a text in which no dollar sign begins mathematics, for what comes from outside.

    Example:
        >>> plain("5 $ and 6 $")
        '5 \\$ and 6 \\$'
    """
    return text.replace("$", r"\$")


def written(text: str, words: Callable[[str], str], formula: Callable[[str], str]) -> str:
    r"""Return a text with its words and its formulas written by two functions; ``\$`` is a dollar sign.

    Example:
        >>> written(r"costs \$5, with $x < 1$", str.upper, lambda formula: f"[{formula}]")
        'COSTS $5, WITH [x < 1]'
    """
    made, waiting = "", ""
    for match in _PIECE.finditer(text):
        if match.group(1) is None:
            waiting += "$" if match.group() == r"\$" else match.group()
            continue
        made += (words(waiting) if waiting else "") + formula(match.group(1))
        waiting = ""
    return made + (words(waiting) if waiting else "")


def wrapped(text: str, most: int) -> list[str]:
    """Return a text in pieces of at most `most` characters, broken at blanks outside of formulas where it has them.

    Example:
        >>> wrapped("as $a + b$ is a sum", 12)
        ['as $a + b$', 'is a sum']
    """
    pieces = [""]
    for match in _WORD.finditer(text):
        together = f"{pieces[-1]} {match.group()}".strip()
        if pieces[-1] and len(together) > most:
            pieces.append(match.group())
        else:
            pieces[-1] = together
    return pieces
