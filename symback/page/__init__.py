"""Pages of text and formulas, and the forms they are printed in: LaTeX, Markdown, HTML, Unicode text, PDF."""
