"""Kinds of storage: claims, volumes and how they are made."""
