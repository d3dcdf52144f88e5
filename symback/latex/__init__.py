"""LaTeX: any node in matrix notation, and the derivation of a gradient as the pass made it."""
