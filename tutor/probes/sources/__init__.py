"""One source a file: what a fact may be given to judge."""
