"""The embedded cluster: a Kubernetes API server, controllers and products, on loopback."""
