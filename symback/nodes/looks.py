"""Names, and their look in LaTeX: ``W1`` is printed W with index 1, ``alpha`` as the Greek letter.

A look that a user gives is checked before it is printed: what is not among the signs and commands below
is refused, because LaTeX is a programming language that reads and writes files.
"""

import re
from functools import lru_cache

import sympy

from symback.errors.kinds import bad_look

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z", re.ASCII)
"""What a name may be."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GREEK = _words("""
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
""")
_ONE_ARGUMENT = _words("""
    hat widehat bar overline tilde widetilde vec dot ddot check breve acute grave underline sqrt
    mathbf mathrm mathit mathsf mathtt mathcal mathbb mathfrak boldsymbol operatorname text textbf textit textrm
""")
_SYMBOLS = _words("""
    varepsilon vartheta varpi varrho varsigma varphi ell hbar imath jmath nabla partial infty aleph Re Im wp prime
    top bot star ast circ bullet dagger ddagger cdot times odot oplus otimes pm mp parallel perp mid langle rangle
    lVert rVert lvert rvert vert Vert sin cos tan sinh cosh tanh exp log ln max min arg det quad qquad
""")
_FRACTION = re.compile(r"\\frac(?=\{)")
_COMMANDS = _GREEK | _ONE_ARGUMENT | _SYMBOLS | {"frac"}
_ESCAPES = frozenset("%&#_$ ,;:!{}|")

_TOKEN = re.compile(r"\\([A-Za-z]+) *|\\(.)|(\^\^)|([{}^_'])|([A-Za-z0-9 +\-=<>()\[\],.;:|/*!?])|(.)", re.DOTALL)
_MATH_IN_TEXT = re.compile(r"\\text\w*\s*\{[^{}]*[{\^_\\]")


def latex_name(name: str) -> str:
    r"""Return the LaTeX of an identifier: a letter, a Greek letter or an upright word, with what follows as index.

    One underscore at the end, which keeps a name off Python's keywords, is not printed (``lambda_``).

    Example:
        >>> latex_name("W1"), latex_name("alpha_out"), latex_name("loss")
        ('W_{1}', '\\alpha_{\\mathrm{out}}', '\\mathrm{loss}')
    """
    match = re.fullmatch(r"([A-Za-z]+?)(?:_?(\d+))?((?:_[A-Za-z0-9]+)*)_?", name)
    if match is None:
        return rf"\mathrm{{{name}}}".replace("_", r"\_")
    stem, digits, rest = match.groups()
    indices = ([digits] if digits else []) + [part for part in rest.split("_") if part]
    shown = [index if index.isdigit() or len(index) == 1 else rf"\mathrm{{{index}}}" for index in indices]
    return _stem(stem) + (f"_{{{','.join(shown)}}}" if shown else "")


def _stem(stem: str) -> str:
    if stem in _GREEK:
        return rf"\{stem}"
    return stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"


def latex_size(size: int | sympy.Expr) -> str:
    """Return the LaTeX of a size, with the looks that names have."""
    if isinstance(size, int):
        return str(size)
    return str(sympy.latex(size, symbol_names={symbol: latex_name(str(symbol)) for symbol in size.free_symbols}))


@lru_cache(maxsize=4096)
def checked_look(look: str) -> str:
    r"""Return a look that was given, if it is harmless, well-formed mathematics.

    Raises:
        InvalidNameError: If braces do not balance, an index or exponent is doubled or missing, or there is
            a sign or a command that a name in print has no use for (``%``, ``&``, ``\input``, ``\def`` …).

    Example:
        >>> print(checked_look(r"\hat{\theta}_{1}"))
        \hat{\theta}_{1}
    """
    if not look.strip():
        raise bad_look(look, "it is empty")
    if _MATH_IN_TEXT.search(look):
        raise bad_look(look, "a brace, an index, an exponent or a command stands inside upright text")
    groups: list[set[str]] = [set()]
    waiting = ""
    for match in _TOKEN.finditer(look):
        command, escape, carets, structure, plain, other = match.groups()
        if carets or other is not None or (plain is structure is None and not _known(command, escape)):
            raise bad_look(look, f"{match.group().strip()!r} is not allowed in a name")
        waiting = _structure(look, structure, groups, waiting) if structure else _follow(look, match, groups, waiting)
    if any(not _behind_group(look, found.end()).startswith("{") for found in _FRACTION.finditer(look)):
        raise bad_look(look, r"write both arguments of \frac in braces")
    if waiting or len(groups) > 1:
        raise bad_look(look, f"nothing follows {waiting!r}" if waiting else "a brace is not closed")
    return look


def _behind_group(look: str, start: int) -> str:
    """Return what stands behind the braces that open at `start`."""
    depth = 0
    for place in range(start, len(look)):
        depth += (look[place] == "{") - (look[place] == "}")
        if not depth:
            return look[place + 1 :]
    return ""


def _known(command: str | None, escape: str | None) -> bool:
    return command in _COMMANDS if command else escape in _ESCAPES


def _follow(look: str, match: re.Match[str], groups: list[set[str]], waiting: str) -> str:
    """Read a letter or a command; return the command if it needs an argument."""
    command = match.group(1)
    if command in _ONE_ARGUMENT or command == "frac":
        if waiting or not look[match.end() :].startswith("{"):
            raise bad_look(look, rf"write the argument of \{command} (and what precedes it) in braces")
        return ""
    if match.group() == " ":
        return waiting
    if not waiting:
        groups[-1].clear()
    return ""


def _structure(look: str, sign: str, groups: list[set[str]], waiting: str) -> str:
    """Read a brace, an index or an exponent; return the sign that waits for what it applies to."""
    if sign == "{":
        if not waiting:
            groups[-1].clear()
        groups.append(set())
        return ""
    if waiting:
        raise bad_look(look, f"nothing follows {waiting!r}")
    if sign == "}":
        groups.pop()
        if not groups:
            raise bad_look(look, "a brace is closed that was not opened")
        return ""
    taken = "^" if sign == "'" else sign
    if taken in groups[-1]:
        raise bad_look(look, f"{sign!r} stands twice on one letter")
    groups[-1].add(taken)
    return "" if sign == "'" else sign
