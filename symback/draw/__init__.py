"""Pictures of computational graphs: forward nodes, and the derivative nodes that a reverse pass appends beside them."""
