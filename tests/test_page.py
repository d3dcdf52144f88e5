"""Pages: lines broken, texts escaped, all forms, files saved whole."""

import os
import re
import shutil
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from symback import errors
from symback.page import html, markdown, save, tex, text
from symback.page.blocks import Display, Equation, Formula, Heading, Page, Paragraph
from symback.page.lines import ROOM, Line, lines_of
from symback.page.markup import parse
from symback.page.measure import width
from symback.page.unicode import columns
from symback.page.words import plain, written


def equation(left, *sides, **further):
    where = tuple((Formula(name), Formula(value)) for name, value in further.pop("where", ()))
    return Equation(Formula(left), tuple(Formula(side) for side in sides), where, **further)


DERIVATIVE = r"\frac{\partial L}{\partial z_{1}}"
PAGE = Page(
    "A title",
    (
        Heading("Forward"),
        Paragraph(r"Where $a \odot b$ is the product entry by entry."),
        Display((equation("z_{1}", "W x + b"), equation(DERIVATIVE, r"a \odot b", "2 a", reasons=("chain rule", "")))),
    ),
)


# -- lines ---------------------------------------------------------------------------------------------


def test_a_chain_is_broken_at_a_sign_of_equality():
    assert lines_of(equation("x", "a + b", "c")) == [Line("x", "= a + b = c")]
    first, second = "a + " * 11 + "b", "c + " * 11 + "d"
    broken = lines_of(equation("x", first, second, where=[("t_{1}", "y")]))
    assert broken == [Line("t_{1}", "= y"), Line("x", f"= {first}"), Line("", f"= {second}")]


def test_reasons_and_notes_end_lines():
    lines = lines_of(equation("x", "a", "b", "c", reasons=("one", "two"), note="exact"))
    assert lines == [Line("x", "= a", "one"), Line("", "= b", "two"), Line("", "= c", "exact")]


def test_a_reason_too_long_for_the_margin_stands_below():
    page = Page("", (Display((equation("y", "x", reasons=("as $a + b$ is " + "so long " * 12,)),)),))
    shown = tex.fragment(page).splitlines()
    assert shown[1] == r"y &= x \\"
    assert shown[2].startswith(r"&\quad\text{(as $a + b$ is so long")
    assert shown[3].endswith("so long )}")
    assert r"&\quad \text{(as }a + b\text{ is so long" in markdown.markdown(page)
    assert all(columns(line) <= 100 for line in text.text(page).splitlines())


LONG = {
    "sum": "a + " * 60 + "b",
    "products": r"a \odot b \odot " * 30 + "c",
    "factors": "A b " * 60,
    "fence": r"\left(" + "a - " * 60 + r"\frac{1}{2}\right)^{2} z",
    "function": r"\log\left(" + "x y + " * 40 + r"1\right)",
    "nested": r"\tanh\left(W \sigma\left(" + "x + " * 60 + r"1\right) + b\right)",
    "fraction": r"\frac{" + "a + " * 50 + "b}{" + "c + " * 50 + "d}",
    "norm": r"\lVert " + "a + " * 60 + r"b \rVert^{2}",
    "negative": r"-\left(" + "a + " * 60 + "b\\right)",
}


LONG |= {
    "root": r"\sqrt{" + "a + " * 60 + "b}",
    "exponent": r"e^{" + "a + " * 60 + "b}",
    "absolute": r"\left|" + "a + " * 60 + r"b\right|",
    "cases": r"\begin{cases} " + "a + " * 40 + r"b & c > 0 \\ 0 & \text{otherwise} \end{cases}",
    "row": r"\begin{bmatrix} " + " & ".join(["0.1234567890123"] * 16) + r" \end{bmatrix} x",
    "matrix": r"\begin{bmatrix} " + r" \\ ".join([" & ".join(["0.123456789012345"] * 4)] * 4) + r" \end{bmatrix} x",
    "group": "{" + "a + " * 60 + "b}",
}
_LAYOUT = re.compile(r"\\(quad|left|right|[bB]igg?[lr]?)\b|\\begin\{aligned\} &|\\end\{aligned\}|\\\\ &|\{\}|\s")


@pytest.mark.parametrize("name", LONG)
def test_a_side_that_is_too_long_is_broken_and_nothing_is_lost(name):
    lines = lines_of(equation("y", LONG[name]))
    for line in lines:
        assert width(line.right) <= ROOM + 1
        parse(line.right, strict=True)
    printed, wanted = (_LAYOUT.sub("", text) for text in (" ".join(line.right for line in lines), f"= {LONG[name]}"))
    if name in ("factors", "nested", "matrix"):
        assert printed.count(r"\cdot") == (len(lines) - 1 if name == "factors" else 1)
        printed = printed.replace(r"\cdot", "")
    if name == "fraction":
        wanted = wanted.replace(r"\frac{", "(").replace("}{", ")/(").replace("}", ")")
    if name == "exponent":
        wanted = wanted.replace("e^{", r"\exp(").replace("}", ")")
    if name == "row":
        wanted = wanted.replace("&", r"\\").replace(r"x", r"^{\top}x").replace(r"bmatri^{\top}x", "bmatrix")
    if name == "matrix":
        wanted = wanted.replace("bmatrix", "smallmatrix").replace(r"\begin", r"[\begin").replace("}x", "}]x")
    assert printed == wanted


def test_what_a_line_holds_for_goes_to_the_next_line_as_a_whole():
    lines = lines_of(equation("y", "a + " * 15 + r"b, \qquad \ell = 9, \dots, 1"))
    assert [line.right for line in lines] == ["= " + "a + " * 15 + "b,", r"\quad {} \qquad \ell = 9, \dots, 1"]


def test_a_long_left_side_has_a_line_of_its_own():
    left = r"\left(" + "a + " * 12 + r"b\right)"
    assert lines_of(equation(left, "c")) == [Line("", left), Line("", "= c")]


# -- forms ---------------------------------------------------------------------------------------------


def test_the_forms_of_a_page():
    assert tex.fragment(PAGE).startswith("\\section*{Forward}\n\nWhere $a \\odot b$ is")
    assert rf"{DERIVATIVE} &= a \odot b \tag*{{(chain rule)}} \\" in tex.fragment(PAGE)
    document = tex.document(PAGE)
    assert document.count("\\usepackage") == 1
    assert r"\usepackage{amsmath,amssymb}" in document
    assert "\\LARGE A title\n" in document
    shown = markdown.markdown(PAGE)
    assert shown.startswith("# A title\n\n## Forward\n\n")
    assert "```math\n\\begin{aligned}\nz_{1} &= W x + b \\\\\n" in shown
    assert text.text(PAGE).splitlines()[-3:] == [
        "        z₁ = W x + b",
        "    ∂L/∂z₁ = a ⊙ b   (chain rule)",
        "           = 2 a",
    ]


class Checker(HTMLParser):
    """Notes what a browser would load, and that elements nest."""

    def __init__(self):
        super().__init__()
        self.open, self.names, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_one_file_that_loads_nothing_and_runs_nothing():
    page = html.html(PAGE)
    checker = Checker()
    checker.feed(page)
    assert not checker.open
    assert not {"script", "link", "img", "iframe", "object"} & set(checker.names)
    assert not {"src", "href", "onload"} & {name for name, _ in checker.attributes}
    assert "@import" not in page
    assert "url(" not in page
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert '<meta charset="utf-8">' in page
    assert "prefers-color-scheme: dark" in page
    ET.fromstring(page[page.index("<body>") : page.index("</body>") + 7].replace("<br>", "<br/>"))


HARM = r"<script>alert('x')</script> & 100% #1 _a_ *b* \input{secret} ^~ `c` [d](e) {"


def test_every_text_is_escaped_in_every_form():
    equations = (equation("x", "y", reasons=(plain(HARM),), note=plain("$5$ " + HARM)),)
    page = Page(plain(f"$9$ {HARM}"), (Heading(plain(HARM)), Paragraph(plain(HARM)), Display(equations)))
    shown = html.html(page)
    assert "<script" not in shown
    assert "alert(&#x27;x&#x27;)" in shown
    document = tex.document(page)
    assert r"\input" not in document
    assert r"\$9\$ \textless{}script\textgreater{}" in document
    assert r"100\% \#1 \_a\_ *b* \textbackslash{}input\{secret\}" in document
    written_down = markdown.markdown(page)
    assert r"\<script\>" in written_down
    assert r"\_a\_ \*b\* \\input{secret}" in written_down
    assert r"\[d\]" in written_down
    assert HARM in text.text(page).replace("\n", " ")


@pytest.mark.parametrize(("words", "shown"), [("# a - b", r"\# a - b"), ("1. a", r"1\. a"), ("a (b)!", "a (b)!")])
def test_words_begin_no_heading_and_no_list_in_markdown(words, shown):
    assert markdown.words(words) == shown


def test_signs_that_fonts_of_tex_lack_are_printed_by_name_or_number():
    assert tex.words("λ ≤ é 中\x07") == r"\ensuremath{\lambda} \ensuremath{\leq} é [U+4E2D][U+0007]"


def test_text_with_mathematics_is_taken_apart():
    assert written(r"a $x$ b \$ c", str.upper, "<{}>".format) == "A <x> B $ C"
    assert written("one $ alone", str.upper, "<{}>".format) == "ONE $ ALONE"
    assert written(plain("$x$"), str, "<{}>".format) == "$x$"


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("x", "$x$"),
        (r"\odot", r"$\odot$"),
        ("x_{1}", "$`x_{1}`$"),
        (r"\{0, 1\}", r"$`\{0, 1\}`$"),
        ("a < b", "$`a < b`$"),
    ],
)
def test_github_takes_no_sign_of_a_formula_for_markdown(formula, wanted):
    assert markdown.inline(formula) == wanted


def test_github_gets_no_command_that_it_refuses():
    formula = r"\operatorname{kl\_div}\left(\operatorname{tr}\left(x\right)\right)"
    wanted = r"\mathop{\mathrm{kl\_div}}\left(\mathop{\mathrm{tr}}\left(x\right)\right)"
    assert markdown.allowed(formula) == wanted
    assert markdown.in_formula("by $x$ of a_b") == r"\text{by }x\text{ of a\_b}"


# -- files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "form"),
    [
        (".tex", tex.document),
        (".md", markdown.markdown),
        (".html", html.html),
        (".txt", text.text),
        (".TXT", text.text),
    ],
)
def test_the_suffix_says_the_form(suffix, form, tmp_path):
    path = tmp_path / f"page{suffix}"
    save.save(PAGE, path)
    assert path.read_bytes() == form(PAGE).encode("utf-8")
    save.save(PAGE, str(path))
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_other_suffixes_are_refused(tmp_path):
    for name in ("page", "page.doc"):
        with pytest.raises(errors.InputError, match=r"none of the suffixes \.tex, \.md, \.html, \.txt, \.pdf"):
            save.save(PAGE, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_failure_keeps_the_file_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "page.txt"
    path.write_text("old")

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        save.save(PAGE, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.txt"]


def test_a_link_stays_a_link_and_what_it_leads_to_keeps_its_permissions(tmp_path):
    path, link = tmp_path / "page.md", tmp_path / "link.md"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    save.save(PAGE, link)
    assert link.is_symlink()
    assert path.read_text() == markdown.markdown(PAGE)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError) as refused:
        save.save(PAGE, tmp_path / "nowhere" / "page.txt")
    assert refused.value.filename == str(tmp_path / "nowhere" / "page.txt")


def test_the_file_has_the_permissions_of_any_new_file(tmp_path):
    other = tmp_path / "other"
    other.write_text("")
    save.save(PAGE, tmp_path / "page.md")
    assert (tmp_path / "page.md").stat().st_mode == other.stat().st_mode


def test_a_pdf_needs_a_tex(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(errors.UsageError, match=r"needs a TeX, and none of pdflatex, .* install one, or save as \.tex"):
        save.save(PAGE, tmp_path / "page.pdf")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "echo 'This is TeX'; echo '! Undefined control sequence.'; echo 'l.7 \\\\foo'; exit 1",
            r"! Undefined .* l\.7",
        ),
        ("sleep 5", "it took more than 1 seconds"),
        ("exit 0", "did not compile"),
    ],
)
def test_a_tex_that_fails_says_why(body, reason, tmp_path, monkeypatch):
    program = tmp_path / "pdflatex"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    monkeypatch.setattr(save, "_PROGRAMS", (str(program),))
    monkeypatch.setattr(save, "_SECONDS", 1)
    with pytest.raises(errors.InputError, match=f"did not compile the derivation: .*{reason}|{reason}"):
        save.save(PAGE, tmp_path / "page.pdf")
    assert [entry.name for entry in tmp_path.iterdir()] == ["pdflatex"]


@pytest.mark.parametrize("name", sorted(path.stem for path in Path(html.__file__).parent.glob("*.py")))
def test_pages_know_nothing_of_graphs(name):
    source = Path(html.__file__).with_name(f"{name}.py").read_text()
    imported = [line.split()[1] for line in source.splitlines() if line.startswith(("from symback", "import symback"))]
    assert all(line.startswith(("symback.page", "symback.errors.page")) for line in imported), imported
