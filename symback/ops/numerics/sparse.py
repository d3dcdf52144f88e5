"""What emitted functions that return sparse matrices need."""


def sizes_as_in_pattern(
    shape: tuple[int, int],
    sizes: tuple[int, ...],
    wanted: tuple[int, ...],
) -> tuple[int, int]:
    """Return the shape of a matrix, if its sizes are those of its pattern."""
    if sizes != wanted:
        raise ValueError(f"the sparsity pattern is that of sizes {wanted}, not {sizes}")
    return shape
