"""A strict check of LaTeX: what symback prints must be balanced and use known commands only."""

import re

COMMANDS = frozenset(
    re.findall(
        r"\w+",
        """
        frac partial left right odot top mathbf mathrm mathcal lVert rVert langle rangle operatorname text sum delta
        cdot cdots vdots infty pi sqrt begin end max min log sin cos tan arcsin arccos arctan sinh cosh tanh sigma
        lfloor rfloor lceil rceil neq leq geq wedge vee oplus neg alpha beta theta eta lambda hat bar ell displaystyle
        in mathbb section subsection quad circ leftarrow Delta Gamma Phi varphi psi zeta dots times
        exists forall arg prod det otimes oslash
        """,
    )
)
ENVIRONMENTS = frozenset({"align*", "aligned", "cases", "bmatrix"})
TOKEN = re.compile(r"\\(begin|end)\{([a-z*]+)\}|\\([A-Za-z]+)|\\(.)|(.)", re.DOTALL)
SCRIPTS = re.compile(r"\^@\^|_@_|\^@_@\^|_@\^@_|[_^](?!@)")
DELIMITERS = ("(", ")", "[", "]", "|", ".", "\\lfloor", "\\rfloor", "\\lceil", "\\rceil")


def check_latex(text: str) -> None:
    """Fail on unbalanced groups, delimiters or environments, on commands nobody expects, on doubled exponents."""
    open_groups: list[str] = []
    in_environment = 0
    for match in TOKEN.finditer(text):
        turn, environment, command, escape, sign = match.groups()
        if turn == "begin":
            assert environment in ENVIRONMENTS, environment
            open_groups.append(environment)
            in_environment += 1
        elif turn == "end":
            assert open_groups.pop() == environment, text
            in_environment -= 1
        elif command == "left":
            assert text[match.end() :].startswith(DELIMITERS), text[match.start() :]
            open_groups.append("left")
        elif command == "right":
            assert text[match.end() :].startswith(DELIMITERS), text[match.start() :]
            assert open_groups.pop() == "left", text
        elif command is not None:
            assert command in COMMANDS, command
        elif escape is not None:
            assert escape in "\\, _#%&", repr(escape)
            assert escape != "\\" or in_environment, text
        elif sign == "{":
            open_groups.append("{")
        elif sign == "}":
            assert open_groups.pop() == "{", text
        else:
            assert sign != "&" or in_environment, text
            assert sign not in "%#~", text
            assert sign.isascii(), sign
    assert not open_groups, text
    check_scripts(text)


def check_scripts(text: str) -> None:
    """Fail where a letter has two exponents or two indices, which TeX refuses, or one that is not in braces."""
    text = re.sub(r"\\.", "", text.replace("_F", "_@"))
    while True:
        shorter = re.sub(r"\{([^{}]*)\}", _closed, text)
        if shorter == text:
            break
        text = shorter
    _closed(re.match(r"(.*)", text, re.DOTALL))


def _closed(group: re.Match[str] | None) -> str:
    assert group is not None
    assert not SCRIPTS.search(group.group(1)), group.group(1)
    return "@"
