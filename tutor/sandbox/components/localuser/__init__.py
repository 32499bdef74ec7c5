"""Pinniped's local-user-authenticator: a TokenReview webhook over Secrets, for demonstrations."""
