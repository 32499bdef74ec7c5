"""Pinniped's Concierge: credentials for a cluster, by its own key or through a proxy."""
