"""The Services in front of the proxy, and the name at which clients find it.

Source: pinniped.md 1.4 (specs), 1.4.2 (bookkeeping of annotations), 3.2 step 6, 3.3 (endpoints).
"""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tutor.sandbox.components.concierge.certificates import CertificateNames, is_address
from tutor.sandbox.components.concierge.config import Config
from tutor.sandbox.components.concierge.impersonator.endpoint import parse
from tutor.sandbox.components.concierge.impersonator.spec import Spec
from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.components.concierge.sync import SyncError
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of, thaw

ANNOTATION_KEYS = "credentialissuer.pinniped.dev/annotation-keys"
_APP = "app"


@dataclass(frozen=True, slots=True)
class Place:
    """Where clients find the proxy, and what its certificate must name."""

    endpoint: str
    names: CertificateNames


def desired(config: Config, spec: Spec, kind: str, namespace: str) -> Object:
    """The Service of a type, as it is created."""
    is_balancer = kind == "LoadBalancer"
    names = config.names
    metadata: Object = {
        "name": names.load_balancer if is_balancer else names.cluster_ip,
        "namespace": namespace,
        "labels": dict(config.labels),
    }
    annotations = _annotations(spec.annotations)
    if annotations:
        metadata["annotations"] = annotations
    service: Object = {
        "type": kind,
        "ports": [{"port": 443, "protocol": "TCP", "targetPort": config.proxy_port}],
        "selector": {_APP: config.labels.get(_APP, "")},
    }
    if is_balancer and spec.load_balancer_ip:
        service["loadBalancerIP"] = spec.load_balancer_ip
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service}


def _annotations(wanted: Mapping[str, str]) -> dict[str, str]:
    if not wanted:
        return {}
    keys = json.dumps(sorted(wanted), separators=(",", ":"))
    return {**wanted, ANNOTATION_KEYS: keys}


def updated(existing: Object, wanted: Object) -> Object:
    """An existing Service brought to what is wanted; ports are left as they are."""
    new: Object = thaw(existing)
    new["metadata"]["labels"] = dict(wanted["metadata"]["labels"])
    for field in ("type", "selector", "loadBalancerIP"):
        if field in wanted["spec"]:
            new["spec"][field] = wanted["spec"][field]
        else:
            new["spec"].pop(field, None)
    annotations = _kept_annotations(annotations_of(existing), annotations_of(wanted))
    if annotations:
        new["metadata"]["annotations"] = annotations
    else:
        new["metadata"].pop("annotations", None)
    return new


def _kept_annotations(old: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    gone = [key for key in _keys(old.get(ANNOTATION_KEYS, "")) if key not in wanted]
    if not wanted:
        gone.append(ANNOTATION_KEYS)
    merged = {**old, **wanted}
    return {key: value for key, value in merged.items() if key not in gone}


def _keys(text: str) -> Sequence[str]:
    try:
        keys: Any = json.loads(text) if text else []
    except ValueError:
        return ()
    if not isinstance(keys, list):
        return ()
    return [str(key) for key in cast("list[Any]", keys)]


def place_of(spec: Spec, cluster_ip: Object | None, balancer: Object | None) -> Place | None:
    """Where clients find the proxy; None while nobody knows."""
    if spec.endpoint:
        address = parse(spec.endpoint)
        return Place(address.endpoint, _named(address.host))
    if spec.service == "ClusterIP":
        return _of_cluster_ip(cluster_ip)
    return _of_balancer(balancer)


def _named(host: str) -> CertificateNames:
    if is_address(host):
        return CertificateNames(addresses=(_canonical(host),))
    return CertificateNames(host=host)


def _canonical(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _of_cluster_ip(service: Object | None) -> Place | None:
    spec = part(service, "spec")
    address = spec.get("clusterIP") or ""
    if not address:
        return None
    addresses: Sequence[str] = spec.get("clusterIPs") or [address]
    return Place(address, CertificateNames(addresses=tuple(_canonical(a) for a in addresses)))


def _of_balancer(service: Object | None) -> Place | None:
    if service is None:
        return None
    status = part(service, "status", "loadBalancer")
    ingresses: Sequence[Object] = status.get("ingress") or ()
    if not ingresses or not (ingresses[0].get("hostname") or ingresses[0].get("ip")):
        return None
    for ingress in ingresses:
        if ingress.get("hostname"):
            return Place(ingress["hostname"], CertificateNames(host=ingress["hostname"]))
    for ingress in ingresses:
        address = ingress.get("ip") or ""
        if is_address(address):
            return Place(address, CertificateNames(addresses=(_canonical(address),)))
    raise SyncError(
        "could not find valid IP addresses or hostnames from load balancer"
        f" {namespace_of(service)}/{name_of(service)}"
    )
