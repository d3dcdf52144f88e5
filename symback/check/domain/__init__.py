"""Where a graph can come out as NaN or infinite: interval analysis, the kinks of a graph, and witnesses by search."""
