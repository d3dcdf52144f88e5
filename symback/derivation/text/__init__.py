"""What stands around the equations: headings, sentences, preamble, layers that are stated once."""
