"""The background process: any number of clusters, and the socket through which to ask for them."""
