"""Formulas in text: each is what the same expression is in Python, and all else is refused with its place."""

import builtins
import contextlib
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import symback as sb
from symback.interop.text.names import functions
from symback.interop.text.shapes import shape_from_text
from symback.op.public import FUNCTIONS

SHAPES = {"W": ("h", "n"), "M": ("n", "n"), "x": "n", "b": "h", "y": ("h",), "c": ()}
W, M, x, b, y, c = (sb.tensor(name, shape) for name, shape in SHAPES.items())
n = x.shape[0]

SAME: dict[str, Callable[[], Any]] = {
    "sum((sigmoid(W@x+b)-y)**2)/2": lambda: sb.sum((sb.sigmoid(W @ x + b) - y) ** 2) / 2,
    "z = W @ x + b; a = sigmoid(z); sum((a - y)**2)/2": lambda: sb.sum(
        (sb.let("a", sb.sigmoid(sb.let("z", W @ x + b))) - y) ** 2
    ) / 2,
    "L = x.sum()": lambda: sb.let("L", sb.sum(x)),
    "z = W @ x  # a comment\nz.T": lambda: sb.let("z", W @ x).T,
    "1/3*c": lambda: Fraction(1, 3) * c,
    "c/3 + 2/6": lambda: c / 3 + Fraction(1, 3),
    "0.1*c - 1e-3": lambda: 0.1 * c - 1e-3,
    "2**-2*c + 7//2": lambda: c / 4 + 3,
    "2**0.5*c": lambda: 2**0.5 * c,
    "c**(1/2)": lambda: sb.sqrt(c),
    "pi*c + np.pi + np.e": lambda: sympy.pi * c + sympy.pi + sympy.E,
    "-inf*c": lambda: float("-inf") * c,
    "sum(x)/n": lambda: sb.sum(x) / n,
    "sum(x)/x.shape[0] + x.size": lambda: sb.sum(x) / n + n,
    "reshape(M, (n*n,))[n-1] + x[-1]": lambda: sb.reshape(M, (n * n,))[n - 1] + x[-1],
    "k = 2*n - n; reshape(x, (k, 1))": lambda: sb.reshape(x, (n, 1)),
    "x[1:3] + x[:2] + x[..., None][:2, 0]": lambda: x[1:3] + x[:2] + x[..., None][:2, 0],
    "x[[0, 1]] * [1, 2]": lambda: x[[0, 1]] * sb.constant([1, 2]),
    "x[::-1][0]": lambda: x[::-1][0],
    "einsum('ij,j->i', W, x)": lambda: sb.einsum("ij,j->i", W, x),
    "np.linalg.norm(x) + sb.linalg.norm(x, ord=inf)": lambda: sb.linalg.norm(x) + sb.linalg.norm(x, ord=float("inf")),
    "special.erf(c) + erf(c) + scipy.special.erf(c)": lambda: 3 * sb.special.erf(c),
    "linalg.slogdet(M).logabsdet": lambda: sb.linalg.slogdet(M).logabsdet,
    "Q, R = linalg.qr(M); sum(R)": lambda: sb.sum(sb.let("R", sb.linalg.qr(M)[1])),
    "where(x > 0, x, 0.01*x)": lambda: sb.where(x > 0, x, 0.01 * x),
    "x == 0": lambda: sb.equal(x, 0),
    "~(x != 0) & (c <= 1)": lambda: sb.logical_not(sb.not_equal(x, 0)) & (c <= 1),
    "M.sum(axis=(0, 1), keepdims=True)": lambda: M.sum(axis=(0, 1), keepdims=True),
    "x.astype('float32')": lambda: x.astype("float32"),
    "x.astype(np.float32)": lambda: x.astype("float32"),
    "quantile(x[:4], 1/3)": lambda: sb.quantile(x[:4], 1 / 3),
    "maximum(x, 1/3) + erf(1/3)": lambda: sb.maximum(x, Fraction(1, 3)) + sb.special.erf(Fraction(1, 3)),
    "max(x) + size(x)": lambda: sb.max(x) + sb.size(x),
    "sum(np.array([[1, 2], [3, 4]], dtype=float64))": lambda: sb.sum(sb.constant([[1, 2], [3, 4]]).astype(float)),
    "linspace(0, 10**6, 3)[2] + full((2,), 10**7)[0]": lambda: sb.linspace(0, 10**6, 3)[2] + sb.full((2,), 10**7)[0],
    "arange(3)[1] + arange(1, 7, 0.5)[0] + imag(c)": lambda: sb.arange(3)[1] + sb.arange(1, 7, 0.5)[0] + sb.imag(c),
    "+-x": lambda: -x,
    "𝐱 + 1": lambda: x + 1,
    "(x\n + x)": lambda: 2 * x,
}  # fmt: skip


@pytest.mark.parametrize("text", SAME)
def test_a_formula_is_the_node_that_python_makes_of_it(text: str) -> None:
    assert sb.from_text(text, SHAPES) is SAME[text]()


def test_dtypes_for_all_and_by_name() -> None:
    assert sb.from_text("x + c", SHAPES, dtypes="float32").dtype == "float32"
    assert sb.from_text("c + x", SHAPES, dtypes={"x": "float32", "c": "float32"}).dtype == "float32"
    assert sb.from_text("2*x/3", {"x": "n"}, dtypes={"x": "float32"}).dtype == "float32", "numbers are weak"


def test_every_public_function_is_found_by_its_names() -> None:
    assert {name for entry in FUNCTIONS.values() for name in (entry.name, *entry.aliases)} <= functions().keys()
    assert not {"getitem", "slice_of", "lambdify", "tensor", "loads", "evaluate"} & functions().keys()


REFUSED = {
    "sum(sigmod(x))": (5, "no function is called 'sigmod'; did you mean 'sigmoid'?"),
    "norm(x)": (1, "did you mean 'linalg.norm'?"),
    "np.fft.fft(x)": (1, "no function is called 'fft.fft'"),
    "interp(x)": (1, "write it with comparisons and sb.where"),
    "c + sum": (5, "sum is a function; write sum(...)"),
    "sum(q + r) + q": (5, "the shapes of q, r are not given; add them to shapes, or on the command line --shape q="),
    "c + wx": (5, "the shape of wx is not given"),
    "x.__class__": (1, "names that begin with _"),
    "exp.__globals__": (1, "names that begin with _"),
    "x._args": (1, "names that begin with _"),
    "x.func": (1, "nothing is called .func"),
    "x.subs(1)": (1, "no method is called .subs()"),
    "x.sum": (1, "sum is a method; write .sum(...)"),
    "linspace(0, 1, 10**6)": (1, "linspace: a formula has no counts"),
    "c + (lambda: 1)()": (6, "a lambda is not read"),
    "sum([i for i in x])": (5, "a comprehension is not read"),
    "sum(i for i in x)": (4, "a comprehension is not read"),
    "(k := c)": (2, "an assignment by := is not read"),
    "f'{x}'": (1, "an f-string is not read"),
    "{1: x}": (1, "a dict is not read"),
    "sum(*x)": (5, "* is not read"),
    "sum(**x)": (1, "** is not read"),
    "import os": (1, "a statement (Import) is not read"),
    "__import__('os').system('true')": (1, "no function is called '__import__'"),
    "eval('1')": (1, "no function is called 'eval'"),
    "x if c else x": (1, "write where(condition, x, y)"),
    "x and c": (1, "write logical_and(a, b)"),
    "not x": (1, "write logical_not(a)"),
    "0 < x < 1": (1, "comparisons are not chained"),
    "c in x": (1, "only <, <=, >, >=, == and != compare"),
    "'a'": (1, "a string stands for an option"),
    "x['a']": (3, "a string stands for an option"),
    "1j*x": (1, "symback has no complex numbers"),
    "c + 1e400": (5, "1e400 is larger than any float64"),
    "c + 1e-400": (5, "1e-400 is smaller than any float64"),
    "9**9**9**9": (4, "more than 1023 bits"),
    "9**99999": (1, "more than 1023 bits"),
    "a = 9**300; b1 = a*a; c": (18, "more than 1023 bits"),
    "1e300*1e300": (1, "larger than any float64"),
    "(-8)**(1/3)": (1, "a negative number to a fractional power is complex"),
    "c + 1/0": (5, "division by zero"),
    "(n+1)*(n+2)*(W.shape[0]+1)" + "*(n+W.shape[0])" * 99: (1, "more than 100 terms"),
    "x(3)": (1, "x is no function; write x * (...)"),
    "2(3)": (1, "only functions and methods are called"),
    "x = x + 1": (1, "x stands for something already"),
    "z = x; z = c": (8, "z stands for something already"),
    "n = 3": (1, "n stands for something already"),
    "x[0] = 3": (1, "only names are assigned"),
    "p = q = x": (1, "one name is assigned at a time"),
    "p, q = x, x, x; p": (1, "2 names for 3 results"),
    "p += x": (1, "an assignment in place is not read"),
    "p: x = 3": (1, "an annotation is not read"),
    "sum(x); c": (1, "this value is not used"),
    "linalg.qr(M)": (1, "the formula has 2 results ((n, n), (n, n)), wanted one"),
    "c + sum(x": (8, "'(' was never closed"),
    "x @": (4, "invalid syntax"),
    "x y": (3, "invalid syntax"),
    "x)": (2, "unmatched ')'"),
    "W @ y": (1, "matmul: W (h, n) and y (h,) do not fit"),
    "c + sum(x, axs=1)": (5, "unexpected keyword argument 'axs'"),
    "c + x[0, 0]": (5, "2 indices for 1 axes"),
    "split(x[:4], 2)[5]": (1, "out of range"),
    "z = [x, 1]; c": (1, "cannot use list in a graph"),
    "arange(10**9)": (1, "arange: a formula has no counts above 10,000"),
    "arange(0, 1, 1e-9)": (1, "arange: a formula has no counts above 10,000"),
    "diff(x, n=10**8)": (1, "diff: a formula has no counts"),
    "x.repeat(10**10)": (1, "repeat: a formula has no counts"),
    "unstack(zeros(1)[0] + broadcast_to(c, 10**9))[0]": (1, "unstack: a formula has no counts"),
    "zeros((3, 10**7))": (1, "zeros: a formula has no counts"),
    "é + x": (1, "the shape of é is not given"),
    "'é'": (1, "a string stands for an option"),
    "maximum('éé', sigmod(x))": (15, "no function is called 'sigmod'"),
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_place_and_a_cure(text: str) -> None:
    column, said = REFUSED[text]
    with pytest.raises(sb.errors.SymbackError) as refused:
        sb.from_text(text, SHAPES)
    message, shown, carets = str(refused.value).splitlines()
    assert said in message
    assert f"line 1, column {column}: " in message
    if len(text) < 100:
        assert shown.strip() == text
        assert carets.index("^") - 4 == column - 1


def test_the_place_is_in_the_line_of_a_longer_formula() -> None:
    with pytest.raises(sb.errors.ShapeError) as refused:
        sb.from_text("z = W @ x\nc + sum(W @ y)", SHAPES)
    assert "line 2, column 9: matmul: " in str(refused.value)
    assert str(refused.value).endswith("\n    c + sum(W @ y)\n            ^^^^^")
    with pytest.raises(sb.errors.InputError, match="sigmod") as refused:
        sb.from_text(f"{' + '.join(['c'] * 100)} + sigmod(x) + {' + '.join(['c'] * 100)}", SHAPES)
    _, shown, carets = str(refused.value).splitlines()
    assert len(shown) <= 104
    assert shown[carets.index("^") :].startswith("sigmod"), "long lines are cut around the place"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000 + "x" + ")" * 100_000, "(" * 5_000 + "x" + ")" * 5_000, "-" * 19_000 + "x", "x" + "+x" * 9_000,
        "x" + ".T" * 9_000, "x" + "**x" * 6_000, "[" * 9_000, "~" * 19_000, "1" * 5_000 + "*x", "x\0", "", " \n ",
        "# x",
        "x[" * 80 + "0" + "]" * 80 + "]", "\ud800", "not " * 4_000 + "x", "sum(" * 4_000,
    ],
    ids=lambda text: f"{text[:5]!a}…{len(text)}",
)  # fmt: skip
def test_texts_of_no_sense_are_errors_and_no_crashes(text: str) -> None:
    with pytest.raises(sb.errors.SymbackError) as refused:
        sb.from_text(text, SHAPES)
    assert len(str(refused.value)) < 500


def test_long_formulas_within_the_limits_are_read() -> None:
    assert sb.from_text("+".join(["x"] * 900), SHAPES) is 900 * x
    assert sb.from_text("-" * 400 + "x", SHAPES) is x
    assert sb.from_text("(" * 80 + "x" + ")" * 80, SHAPES) is x


def test_nothing_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    def caught(*arguments: object, **options: object) -> None:
        raise AssertionError("text was evaluated")

    monkeypatch.setattr(builtins, "eval", caught)
    monkeypatch.setattr(builtins, "exec", caught)
    monkeypatch.setattr("sympy.parsing.sympy_parser.parse_expr", caught)
    evil = "__import__('os').system('false')"
    for text in ("sum(x)/n", "reshape(M, (n*n,))", "1/3*c"):
        sb.from_text(text, SHAPES)
    for call in (
        "einsum({!r}, x)",
        "reshape(x, {!r})",
        "ones({!r})",
        "sum(x, axis={!r})",
        "x.astype({!r})",
        "full({!r}, 1)",
    ):
        with pytest.raises(sb.errors.SymbackError):
            sb.from_text(call.format(evil), SHAPES)
    with pytest.raises(sb.errors.SymbackError):
        shape_from_text(evil)


@pytest.mark.parametrize(
    ("formula", "shapes", "dtypes", "said"),
    [
        (3, {}, None, "a formula is a string, not int"),
        ("x", ["n"], None, "shapes must be a dict"),
        ("x", {"x": "n"}, {"y": "float32"}, "dtypes names 'y', which has no shape"),
        ("x", {"x": "n"}, {"x": "complex"}, "dtype 'complex' is not supported"),
        ("x", {"x": -1}, None, "an integer >= 0"),
        ("x", {3: "n"}, None, "3 cannot be used as a name"),
        ("n + 1", {"n": (), "x": "n"}, None, "n is the name of a variable and of a size"),
        ("lambda_ = x; lambda_ + y_", {"x": ()}, None, "the shape of y_ is not given"),
        ("_z = x; _z", {"x": ()}, None, "'_z' cannot be used as a name"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(formula: Any, shapes: Any, dtypes: Any, said: str) -> None:
    with pytest.raises(sb.errors.SymbackError) as refused:
        sb.from_text(formula, shapes, dtypes=dtypes)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("", ()), ("()", ()), ("3", (3,)), ("h,n", W.shape), ("(h, n)", W.shape), ("n,", (n,)), ("0", (0,)),
        ("2*n+1", (2 * n + 1,)),
    ],
)  # fmt: skip
def test_shapes_in_text(text: str, shape: tuple[Any, ...]) -> None:
    assert shape_from_text(text) == shape


@pytest.mark.parametrize(
    "text", ["-1", "1.5", "a b", "h;n", "lambda", "n/2", "n**2**99", "sum(n)", "'n'", "é", "z=n", "n" + "*n" * 9_999]
)
def test_texts_that_are_no_shapes(text: str) -> None:
    with pytest.raises(sb.errors.InputError, match=r"cannot be read: .*; write names and integers") as refused:
        shape_from_text(text)
    assert "\n" not in str(refused.value)


_PIECES = st.sampled_from(
    "x c W M n ( ) [ ] , + - * / ** @ < = ; : . 1 0 2.5 1e9 sum exp .T .shape linalg.solve None ... 'ij' axis= z \n"
    .replace("\\n", "\n").split(" ")
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(_PIECES, max_size=12).map("".join), st.text(max_size=12)))
def test_any_text_is_a_node_or_an_error_of_symback(text: str) -> None:
    with contextlib.suppress(sb.errors.SymbackError):
        assert isinstance(sb.from_text(text, SHAPES), sb.Node)


def test_bytes_that_are_no_text_are_named() -> None:
    with pytest.raises(sb.errors.InputError, match="not in the encoding of the terminal; write it in UTF-8"):
        sb.from_text("sum(\udcc3\udca9)", {})
