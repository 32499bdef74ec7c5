"""cert-manager's controllers, each with one state transition of its own."""
