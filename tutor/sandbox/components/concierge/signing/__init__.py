"""Keys to sign with and certificates to serve with: made, rotated, fetched, and written down."""
