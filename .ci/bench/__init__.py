"""What the program costs: one module for each group of figures, each beside what it is held to."""
