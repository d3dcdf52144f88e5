"""The fast style: statements that write to memory that is there already."""
