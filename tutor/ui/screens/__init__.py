"""One screen a file: what it shows, which messages it answers."""
