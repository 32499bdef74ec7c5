"""The composition root: the only room that sees the course and the cluster."""
