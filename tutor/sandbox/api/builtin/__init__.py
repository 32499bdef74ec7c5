"""What the server does to objects of built-in kinds between decoding and storing them.

`strategy` is the door: it looks a kind up in `catalogue` and defaults, prepares or judges an
object. Everything here is a function from JSON values to JSON values; nothing reads a store or a
clock.

Source: Kubernetes 1.36, `pkg/apis/*/v1/defaults.go`, `pkg/apis/*/validation`, `pkg/registry`.
"""
