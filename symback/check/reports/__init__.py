"""What checks have found, as tables, pages and pictures."""
