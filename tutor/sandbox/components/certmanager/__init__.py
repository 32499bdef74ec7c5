"""cert-manager v1.12.3: its admission webhook, its CA injector and its controllers."""
