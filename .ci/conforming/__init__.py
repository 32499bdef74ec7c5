"""What the terminal pane does, held against other terminals and against specifications."""
