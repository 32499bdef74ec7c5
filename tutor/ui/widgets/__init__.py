"""One piece of data on the screen a file."""
