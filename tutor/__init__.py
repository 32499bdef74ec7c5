"""A terminal tutorial that teaches by doing: a real shell, a cluster, and lessons that watch."""

__version__ = "0.1.0"
