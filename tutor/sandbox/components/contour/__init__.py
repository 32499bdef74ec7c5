"""Contour v1.25.2 and its Envoy: an ingress that reads HTTPProxies and passes TLS on by name."""
