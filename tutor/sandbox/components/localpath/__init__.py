"""kind's provisioner of storage: folders of the node as volumes."""
