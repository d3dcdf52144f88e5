"""The derivation of a two-layer network as a document, each line with the residual that numbers leave of it.

Run it with nothing but symback installed: python examples/derivation.py [folder]. It writes derivation.pdf where there
is a TeX, else derivation.tex; beside it derivation.html, which a browser shows without a network, and graph.svg, the
graph with its derivative nodes.
"""

import sys
from pathlib import Path

import symback as sb

# The network: n inputs, h hidden units, m outputs; sizes stay symbolic.
x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
W1, b1 = sb.tensor("W1", ("h", "n")), sb.tensor("b1", ("h",))
W2, b2 = sb.tensor("W2", ("m", "h")), sb.tensor("b2", ("m",))
z1 = sb.let("z1", W1 @ x + b1)
a1 = sb.let("a1", sb.sigmoid(z1))
z2 = sb.let("z2", W2 @ a1 + b2)
a2 = sb.let("a2", sb.sigmoid(z2))
loss = sb.let("L", sb.sum((a2 - y) ** 2) / 2, latex=r"\mathcal{L}")
parameters = [W1, b1, W2, b2]
eta = sb.tensor("eta")


def save(derivation: sb.Derivation, folder: Path) -> list[Path]:
    """Write the document, as a PDF if there is a TeX, and the page for a browser; return their paths."""
    document, page = folder / "derivation.pdf", folder / "derivation.html"
    try:
        derivation.save(document, verified=True)
    except sb.errors.UsageError as error:
        print(error)
        document = folder / "derivation.tex"
        derivation.save(document, verified=True)
    derivation.save(page, verified=True)
    return [document, page]


def main(folder: Path) -> None:
    """Derive, check each line by numbers, and write the files."""
    derivation = sb.derive(loss, parameters, update=eta)
    print(derivation)
    report = derivation.verify()
    report.raise_if_failed()
    print(f"{len(report.lines)} equalities hold to {report.digits} digits, the last of them {report.lines[-1]}")
    written = save(derivation, folder)
    picture = folder / "graph.svg"
    picture.write_text(sb.draw(loss, wrt=parameters).svg(), encoding="utf-8")
    print("written:", ", ".join(path.name for path in [*written, picture]))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
