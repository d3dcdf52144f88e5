"""Index notation: entries, sums over indices, Kronecker deltas."""
