"""Patches: JSON Patch, merge patch and strategic merge patch, and how their bodies are read."""
