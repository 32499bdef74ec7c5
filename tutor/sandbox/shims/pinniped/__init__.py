"""The `pinniped` command, v0.25.0: kubeconfigs, static logins and whoami for any Concierge."""
