"""Where graphs begin: variables, names, arrays that are known."""
