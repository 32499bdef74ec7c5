"""Pods and pod templates: the largest spec of all, one file for each part of it."""
