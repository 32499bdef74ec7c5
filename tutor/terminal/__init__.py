"""Bytes to cells and keys to bytes; the pseudo-terminal and the shell in it."""
