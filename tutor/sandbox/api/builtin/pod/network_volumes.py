"""Volumes that a network or a cloud serves. Source: `apis/core/validation/validation.go`."""

import re
from collections.abc import Callable

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import items, number, part, text
from tutor.sandbox.api.status import invalid, not_supported, required, too_long
from tutor.sandbox.kinds import Object

_IQN = re.compile(r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)")
_EUI = re.compile("eui.[0-9a-zA-Z]{16}")
_NAA = re.compile("naa.[0-9a-zA-Z]{32}")
_OF_NO_KIND = "must be valid format starting with iqn, eui, or naa"


def needs(*fields: str) -> Callable[[Object, str], Errors]:
    """A judge that requires these fields."""

    def judge(source: Object, path: str) -> Errors:
        return [required(f"{path}.{field}") for field in fields if not source.get(field)]

    return judge


glusterfs = needs("endpoints", "path")
rbd = needs("monitors", "image")
cephfs = needs("monitors")
azure_file = needs("secretName", "shareName")
vsphere = needs("volumePath")
photon = needs("pdID")
portworx = needs("volumeID")
scale_io = needs("gateway", "system", "volumeName")


def driver_name(name: str, path: str) -> Errors:
    """The name of a CSI driver."""
    if not name:
        return [required(path)]
    errors = [too_long(path, 63)] if len(name) > 63 else []
    return errors + [invalid(path, name, why) for why in formats.dns1123_subdomain(name.lower())]


def _disk(name: str) -> Callable[[Object, str], Errors]:
    def judge(source: Object, path: str) -> Errors:
        errors = [] if source.get(name) else [required(f"{path}.{name}")]
        # Zero is taken, and the complaint says otherwise.
        if not 0 <= (partition := number(source, "partition")) <= 255:
            errors.append(invalid(f"{path}.partition", partition, checks.between(1, 255)))
        return errors

    return judge


gce_persistent_disk = _disk("pdName")
aws_elastic_block_store = _disk("volumeID")


def nfs(source: Object, path: str) -> Errors:
    """A folder of an NFS server."""
    errors = needs("server", "path")(source, path)
    if not text(source, "path").startswith("/"):
        errors.append(invalid(f"{path}.path", text(source, "path"), "must be an absolute path"))
    return errors


def iscsi(source: Object, path: str) -> Errors:
    """A disk of an iSCSI target."""
    errors = needs("targetPortal", "iqn")(source, path)
    if name := text(source, "iqn"):
        errors += iscsi_name(name, f"{path}.iqn", _OF_NO_KIND)
    errors += checks.in_range(number(source, "lun"), 0, 255, f"{path}.lun")
    authenticates = source.get("chapAuthDiscovery") or source.get("chapAuthSession")
    if authenticates and source.get("secretRef") is None:
        errors.append(required(f"{path}.secretRef"))
    if (name := source.get("initiatorName")) is not None:
        errors += iscsi_name(name, f"{path}.initiatorname", _OF_NO_KIND)
    return errors


def iscsi_name(name: str, path: str, of_no_kind: str) -> Errors:
    """A name of one of the three kinds; `of_no_kind` is said of any other."""
    shapes = {"iqn": _IQN, "eui": _EUI, "naa": _NAA}
    shape = next((shape for start, shape in shapes.items() if name.startswith(start)), None)
    if shape is None:
        return [invalid(path, name, of_no_kind)]
    return [] if shape.fullmatch(name) else [invalid(path, name, "must be valid format")]


def fibre_channel(source: Object, path: str) -> Errors:
    """A disk on a fibre channel network."""
    errors: Errors = []
    targets, wwids, lun = items(source, "targetWWNs"), items(source, "wwids"), source.get("lun")
    if not targets and not wwids:
        why = "must specify either targetWWNs or wwids, but not both"
        errors.append(required(f"{path}.targetWWNs", why))
    if targets and wwids:
        why = "targetWWNs and wwids can not be specified simultaneously"
        errors.append(invalid(f"{path}.targetWWNs", targets, why))
    if targets and lun is None:
        errors.append(required(f"{path}.lun", "lun is required if targetWWNs is specified"))
    if targets and lun is not None:
        errors += checks.in_range(lun, 0, 255, f"{path}.lun")
    return errors


def quobyte(source: Object, path: str) -> Errors:
    """A volume of a Quobyte service."""
    errors: Errors = []
    pair = "must be a host:port pair or multiple pairs separated by commas"
    registry = text(source, "registry")
    if not registry:
        errors.append(required(f"{path}.registry", pair))
    elif len(text(source, "tenant")) > 64:
        why = "must be a UUID and may not exceed a length of 64 characters"
        errors.append(required(f"{path}.tenant", why))
    else:
        errors += [
            invalid(f"{path}.registry", registry, pair)
            for one in registry.split(",")
            if one.count(":") != 1
        ]
    return errors + needs("volume")(source, path)


def flocker(source: Object, path: str) -> Errors:
    """A Flocker dataset."""
    name, uuid = text(source, "datasetName"), text(source, "datasetUUID")
    errors: Errors = []
    if not name and not uuid:
        errors.append(required(path, "one of datasetName and datasetUUID is required"))
    if name and uuid:
        why = "datasetName and datasetUUID can not be specified simultaneously"
        errors.append(invalid(path, "resource", why))
    if "/" in name:
        errors.append(invalid(f"{path}.datasetName", name, "must not contain '/'"))
    return errors


def cinder(source: Object, path: str) -> Errors:
    """A Cinder volume."""
    return needs("volumeID")(source, path) + secret_name(source, path)


def secret_name(source: Object, path: str) -> Errors:
    """A reference to a Secret names it."""
    named = source.get("secretRef") is None or part(source, "secretRef").get("name")
    return [] if named else [required(f"{path}.secretRef.name")]


def flex_volume(source: Object, path: str) -> Errors:
    """A volume of a driver installed on the node."""
    errors = needs("driver")(source, path)
    for key in sorted(part(source, "options")):
        domain = f".{key.split('/', 1)[0].lower()}"
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            why = "kubernetes.io and k8s.io namespaces are reserved"
            errors.append(invalid(f"{path}.options[{key}]", key, why))
    return errors


def azure_disk(source: Object, path: str) -> Errors:
    """A disk of Azure's."""
    errors = needs("diskName", "diskURI")(source, path)
    kind, uri = source.get("kind"), text(source, "diskURI")
    if (mode := source.get("cachingMode")) is not None:
        errors += checks.one_of(mode, ("None", "ReadOnly", "ReadWrite"), f"{path}.cachingMode")
    if kind is None:
        return errors
    errors += checks.one_of(kind, ("Dedicated", "Managed", "Shared"), f"{path}.kind")
    managed = kind == "Managed"
    if not uri.startswith("/subscriptions/" if managed else "https://"):
        example = (
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/"
            "{disk-id}"
            if managed
            else "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
        )
        errors.append(not_supported(f"{path}.diskURI", uri, [example]))
    return errors


def storageos(source: Object, path: str) -> Errors:
    """A StorageOS volume."""
    errors: Errors = []
    if name := text(source, "volumeName"):
        errors += checks.obey(formats.dns1123_label, name, f"{path}.volumeName")
    else:
        errors.append(required(f"{path}.volumeName"))
    if namespace := text(source, "volumeNamespace"):
        errors += checks.obey(formats.dns1123_label, namespace, f"{path}.volumeNamespace")
    return errors + secret_name(source, path)
