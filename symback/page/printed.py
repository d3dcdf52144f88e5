"""What prints itself as a page: in LaTeX, Markdown, HTML, Unicode text and PDF."""

import os
from typing import Any

from symback.page.blocks import Display, Page
from symback.page.html import embedded, html
from symback.page.markdown import markdown
from symback.page.save import save
from symback.page.tex import aligned, document, fragment
from symback.page.text import text


class Printed:
    """Gives an object that has a page its forms; each takes the options of its `page`."""

    __slots__ = ()

    def page(self, *arguments: Any, **options: Any) -> Page:
        """Return the headings, paragraphs and equations that all forms are made of."""
        raise NotImplementedError(type(self).__name__)

    def latex(self, **options: Any) -> str:
        """Return a fragment of LaTeX for a document that loads amsmath and amssymb."""
        return fragment(self.page(**options))

    def document(self, **options: Any) -> str:
        """Return a LaTeX document that compiles by itself with pdflatex, packages amsmath and amssymb only."""
        return document(self.page(**options))

    def markdown(self, **options: Any) -> str:
        """Return Markdown, with mathematics as GitHub shows it."""
        return markdown(self.page(**options))

    def html(self, **options: Any) -> str:
        """Return one HTML file: mathematics in MathML, nothing loaded from a network, no script."""
        return html(self.page(**options))

    def text(self, **options: Any) -> str:
        """Return Unicode text for a terminal, aligned at the signs of equality."""
        return text(self.page(**options))

    def save(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write it to a file, in the form that the suffix says; the file is there whole or not at all.

        Args:
            path: With the suffix ``.tex``, ``.md``, ``.html``, ``.txt``, or ``.pdf``, which needs a TeX.
            options: Those of `page`.

        Raises:
            InputError: If it is no path, its suffix is none of these, or TeX does not compile the document.
            UsageError: If a PDF is asked for and no TeX is installed.
            OSError: If the file cannot be written; a file that was there before is still there.
        """
        save(self.page(**options), path)

    def _repr_latex_(self) -> str:
        equations = [line for block in self.page().blocks if isinstance(block, Display) for line in block.equations]
        return f"$\\displaystyle {aligned(equations)}$"

    def _repr_html_(self) -> str:
        return embedded(self.page())
