"""Managed fields: who set which field of an object, and server-side apply.

Source: k8s.io/apimachinery (`util/managedfields`) and sigs.k8s.io/structured-merge-diff v6.
"""
