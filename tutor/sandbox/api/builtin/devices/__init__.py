"""Devices that pods claim: classes, claims, templates of claims, and slices of what nodes have."""
