"""The one node: the programs that run in its pods, and what can be asked of them."""
