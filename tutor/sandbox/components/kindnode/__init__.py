"""The objects that a cluster of kind v0.20.0 (Kubernetes v1.27.3) starts with.

The files under `manifests/` are `string.Template`s: `$$` stands for a dollar sign, and these
placeholders for what differs between clusters and machines.

- `CLUSTER`: name of the cluster, `kind-with-contour`
- `NODE`: name of its node, `CLUSTER-control-plane`
- `NODE_IP`: address of the node on the docker network, the first is 172.18.0.2
- `NODE_UID`: uid of the Node object, which the mirror pods name as their owner
- `CA_DATA`: the cluster's CA, PEM in base64, on one line
- `NOW`: the present, RFC 3339 in UTC; `REGISTERED`: when `node.yaml` was made
- `TOKEN_EXPIRATION`: 24 hours from now, RFC 3339 in UTC
- `ARCH`, `CPUS`, `MEMORY_KI`, `STORAGE_KI`, `KERNEL_VERSION`: the host's, as a kubelet in a
  container sees them
- `MACHINE_ID`: 32 hex digits; `SYSTEM_UUID`, `BOOT_ID`: UUIDs
- `ETCD_HASH`, `APISERVER_HASH`, `CONTROLLER_MANAGER_HASH`, `SCHEDULER_HASH`: 32 hex digits each,
  the kubelet's names for the four static pods

They are made in this order: `node.yaml`,
`staticpods.yaml`, `kubeadm.yaml`, `coredns.yaml`, `kube-proxy.yaml`, `kindnet.yaml` and
`local-path.yaml`. `node-ready.yaml` is a merge patch for the Node and for its status.
"""
