"""The value of matrix notation in which all sizes are 3, so that text and graph can be compared by numbers."""

from latex_functions import as_matrix
from latex_reader import Names, read

SIZE = 3

__all__ = ["SIZE", "as_matrix", "latex_value"]


def latex_value(text, values):
    """Return the value of a formula; `values` maps names to columns, matrices and (1, 1) scalars."""
    unsized, letters = [(SIZE,)] * len(text), dict.fromkeys("ijklmpqrsuvw", SIZE)
    given = {name: array.reshape([size for size in array.shape if size != 1]) for name, array in values.items()}
    found = next(read(text, Names(given), unsized, hints=letters), None)
    assert found is not None, f"no sizes fit in {text}"
    return found
