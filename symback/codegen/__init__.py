"""Code generation: from a graph to a program of assignments, and from that to the text of a target."""
