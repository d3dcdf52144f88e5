"""SymPy in and out: expressions become nodes by one table of rules, and nodes expressions."""
