"""The two servers: the aggregated API and the impersonation proxy."""
