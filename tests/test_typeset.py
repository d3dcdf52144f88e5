"""What derivations print goes through TeX without overfull lines, and through KaTeX in strict mode.

Where pdflatex or KaTeX is missing its tests are skipped, unless SYMBACK_TYPESET is set, as CI does.
"""

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pytest
import sympy

import symback as sb
from models_derived import MODELS, circuit, softmax_regression, twenty_layers, two_layer_network
from symback.check.cases import cases_of
from symback.op.table import PRIMITIVES
from symback.page import html, markdown, tex, text
from symback.page.blocks import Display, Equation, Formula, Heading, Page, Paragraph
from symback.page.measure import width
from test_derived_models import derived
from test_formulas import allowed_looks
from test_page import LONG

NEEDED = bool(os.environ.get("SYMBACK_TYPESET"))
MOST_OVERFULL = 10.0
KATEX = """
const fs = require("fs"), path = require("path");
const global = path.join(path.dirname(process.execPath), "../lib/node_modules/katex");
const places = ["katex", global, "/usr/share/javascript/katex/katex.js", "/usr/share/nodejs/katex/dist/katex.js"];
let katex = null;
for (const place of places) { try { katex = require(place); break; } catch (error) { /* the next */ } }
if (!katex) { console.log(JSON.stringify(null)); process.exit(0); }
const failed = [];
for (const [formula, displayMode] of JSON.parse(fs.readFileSync(0, "utf8"))) {
  try { katex.renderToString(formula, {displayMode, strict: "error", throwOnError: true, trust: false}); }
  catch (error) { failed.push([formula, String(error.message)]); }
}
console.log(JSON.stringify(failed));
"""


def missing(tool):
    """Skip a test for want of a tool; fail where it has to be there."""
    (pytest.fail if NEEDED else pytest.skip)(f"{tool} is not installed")


@cache
def pages():
    """The derivations of all models in both notations, and some with the other options."""
    found = [derived(model.__name__, **notation).page() for model in MODELS for notation in ({}, {"notation": "index"})]
    options = {"adjoint": "bar", "layout": "row", "hadamard": r"\circ", "update": sb.tensor("eta")}
    found.append(sb.derive(*two_layer_network(), **options).page(verified=True))
    found.append(sb.derive(*two_layer_network(), adjoint="delta", notation="index").page(verified=True))
    found += [sb.derive(*model(), order=2).page() for model in (softmax_regression, circuit, linear)]
    found.append(sb.derive(*twenty_layers()).expanded().page())
    return found


def linear():
    """Least squares with a loss that has no name."""
    A, x, y = sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
    return sb.sum((A @ x - y) ** 2), [x]


def formula(latex):
    return Equation(Formula("y"), (Formula(latex),))


@cache
def looks():
    """The LaTeX of an instance of each primitive, and a look with each command that looks may hold."""
    cases = (next(iter(cases_of(declared, "float64", seed=0))) for declared in PRIMITIVES.values())
    return list(dict.fromkeys([*(sympy.latex(case.node) for case in cases), *allowed_looks()]))


REASONS = Display(
    (
        Equation(
            Formula("y"),
            (Formula("a + " * 14 + "b"), Formula(r"\frac{\partial L}{\partial x}")),
            reasons=("by the rule log_softmax, as $a \\odot b$ is " + "long, " * 10, "short"),
            note=r"residual $3 \cdot 10^{-31}$",
        ),
    )
)


def compiled(source, folder):
    """Return the log of a document."""
    if shutil.which("pdflatex") is None:
        missing("pdflatex")
    (folder / "page.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, check=False, env={**os.environ, "max_print_line": "500"}
    )
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[-3000:]
    return log


def test_all_derivations_compile_without_overfull_lines(tmp_path):
    """In one document, so that TeX starts once; what is added shows that long lines and odd titles do no harm."""
    blocks = [block for page in pages() for block in (Heading(page.title), *page.blocks)]
    blocks += [Heading("Long", 2), Display(tuple(formula(latex) for latex in LONG.values())), REASONS]
    blocks += [Heading("Primitives"), Display(tuple(formula(latex) for latex in looks()))]
    log = compiled(tex.document(Page(r"100% of \$5 & a_1^2 {λ} é 中 #~\x", tuple(blocks))), tmp_path)
    overfull = [line for line in re.findall(r"Overfull \\hbox \(([\d.]+)pt.*", log) if float(line) > MOST_OVERFULL]
    assert not overfull, re.findall(r"Overfull.*", log)
    assert not re.findall(r"(?i)warning: (?!.*rerun).*", log)


def test_all_derivations_are_wellformed_html_and_readable_text():
    for page in pages():
        shown = html.html(page)
        ET.fromstring(shown[shown.index("<body>") : shown.index("</html>")])
        assert "\\" not in shown[shown.index("<body>") :]
        printed = text.text(page)
        assert "\\" not in printed
        assert "$" not in printed


def test_a_derivation_compiles_by_itself(tmp_path):
    document = derived("two_layer_network").document()
    assert set(re.findall(r"\\usepackage\{(.*?)\}", document)) == {"amsmath,amssymb"}
    compiled(document, tmp_path)


def test_widths_are_those_of_tex_or_more(tmp_path):
    """Lines are broken by an estimate, which must not be less than the truth nor far above it."""
    shown = [
        part for page in pages() for block in page.blocks if isinstance(block, Display) for part in formulas(block)
    ]
    shown = list(dict.fromkeys([*shown, *looks()]))
    boxes = "\n".join(rf"\setbox0\hbox{{$\displaystyle {latex}$}}\typeout{{width \the\wd0}}" for latex in shown)
    head = "\\documentclass{article}\\usepackage{amsmath,amssymb}\\begin{document}\n"
    log = compiled(head + boxes + "\\end{document}\n", tmp_path)
    measured = [float(found) / 10 for found in re.findall(r"^width ([\d.]+)pt", log, re.MULTILINE)]
    assert len(measured) == len(shown)
    for latex, true in zip(shown, measured, strict=True):
        assert width(latex) >= 0.96 * true - 0.2, (latex, width(latex), true)
        assert width(latex) <= 1.35 * true + 2, (latex, width(latex), true)


def formulas(display):
    for equation in display.equations:
        yield equation.left.text
        yield from (side.text for side in equation.sides)


def rendered(items):
    """Return what KaTeX refuses of (formula, is it displayed?), with its reasons."""
    if shutil.which("node") is None:
        missing("node")
    done = subprocess.run(
        ["node", "-e", KATEX], input=json.dumps(items), capture_output=True, text=True, check=True, cwd=Path.home()
    )
    failed = json.loads(done.stdout)
    if failed is None:
        missing("KaTeX")
    return failed


def displays(printed, pattern):
    return [(found, True) for found in re.findall(pattern, printed, re.DOTALL)]


def test_all_formulas_render_in_katex_in_strict_mode():
    items = [(formula, True) for formula in looks()]
    for page in [*pages(), Page("", (REASONS, Display(tuple(formula(latex) for latex in LONG.values()))))]:
        latex, github = tex.fragment(page), markdown.markdown(page)
        found = displays(latex, r"\\begin\{align\*\}.*?\\end\{align\*\}") + displays(github, r"```math\n(.*?)\n```")
        assert len(found) == 2 * sum(isinstance(block, Display) for block in page.blocks)
        items += found
        words = [block.text for block in page.blocks if isinstance(block, (Heading, Paragraph))]
        items += [(inline, False) for sentence in words for inline in re.findall(r"\$([^$]+)\$", sentence)]
    items.append((sb.derive(*two_layer_network())._repr_latex_().strip("$"), False))
    assert not rendered(list(dict.fromkeys(items)))


def test_katex_would_refuse_what_is_wrong():
    failed = rendered([[r"\frac{1}", False], [r"\foo", True], ["é", False], ["x", False]])
    assert [formula for formula, _ in failed] == [r"\frac{1}", r"\foo", "é"]


def test_a_pdf_is_saved(tmp_path):
    if shutil.which("pdflatex") is None:
        missing("pdflatex")
    x = sb.tensor("x", ("n",))
    path = tmp_path / "derivation.pdf"
    sb.derive(sb.let("L", sb.sum(sb.exp(x))), [x]).save(path)
    assert path.read_bytes().startswith(b"%PDF-")
    assert [entry.name for entry in tmp_path.iterdir()] == ["derivation.pdf"]
