"""The `kind` command, v0.20.0, whose clusters are the sandbox's."""
