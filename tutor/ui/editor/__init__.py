"""A small editor, for machines that have none: a program of its own, which runs in the pane."""
