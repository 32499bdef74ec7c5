"""What `kubectl get` shows of each built-in kind: columns, and the cells of one object."""
