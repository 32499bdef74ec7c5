"""CustomResourceDefinitions: what they may say, what becomes of them, and the kinds they serve."""
