"""Horizontal pod autoscalers: what they measure, what follows from it, and what they do.

Source: pkg/controller/podautoscaler.
"""
