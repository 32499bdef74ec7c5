"""The types of Kubernetes' built-in API as data, and what follows from them."""
