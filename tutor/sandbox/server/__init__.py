"""TLS, connections and the wire library: the only room that knows which one it is."""
