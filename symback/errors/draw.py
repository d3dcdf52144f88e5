"""Messages about pictures of graphs."""

from symback.errors.kinds import InputError


def too_many_boxes(count: int, most: int, level: str) -> InputError:
    """A picture that nobody could read."""
    cure = "" if level == "named" else 'draw it by level="named", '
    return InputError(
        f"draw: {count} boxes are too many for a picture (at most {most}); {cure}"
        "give names by sb.let to fewer quantities, or draw an intermediate node instead of the output"
    )
