"""Kinds of the network: services and what is behind and before them."""
