"""What can be behind a PersistentVolume. Source: `apis/core/validation/validation.go`."""

from collections.abc import Callable
from typing import NamedTuple

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod import network_volumes
from tutor.sandbox.api.builtin.pod.network_volumes import needs
from tutor.sandbox.api.builtin.pod.paths import no_backsteps
from tutor.sandbox.api.builtin.pod.volumes import host_path
from tutor.sandbox.api.builtin.reading import number, part, text
from tutor.sandbox.api.status import invalid, required
from tutor.sandbox.kinds import Object

_MAX_ISCSI = 64
_SECRETS = (
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
)


class Source(NamedTuple):
    """One kind of volume. Paths call some of them by other names than their field."""

    field: str
    repeated: str
    """What it is called when it is one too many."""
    named: str
    """What it is called when something in it is wrong."""
    judge: Callable[[Object, str, str], Errors]
    """Takes the source, its path, and the name of the volume."""


def _plain(
    field: str, judge: Callable[[Object, str], Errors], *, named: str = "", repeated: str = ""
) -> Source:
    def judged(source: Object, path: str, _name: str) -> Errors:
        return judge(source, path)

    return Source(field, repeated or field, named or field, judged)


def _glusterfs(source: Object, path: str) -> Errors:
    errors = needs("endpoints", "path")(source, path)
    namespace, at = source.get("endpointsNamespace"), f"{path}.endpointsNamespace"
    if namespace == "":
        why = "if the endpointnamespace is set, it must be a valid namespace name"
        errors.append(invalid(at, namespace, why))
    elif namespace is not None:
        errors += checks.obey(formats.dns1123_label, namespace, at)
    return errors


def _iscsi(source: Object, path: str, volume: str) -> Errors:
    errors = needs("targetPortal")(source, path)
    portal, initiator = text(source, "targetPortal"), source.get("initiatorName")
    if initiator is not None and len(f"{volume}:{portal}".encode()) > _MAX_ISCSI:
        why = (
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if"
            " iscsi.initiatorName is specified."
        )
        errors.append(invalid(f"{path}.targetportal", portal, why))
    format_only = "must be valid format"
    if name := text(source, "iqn"):
        errors += network_volumes.iscsi_name(name, f"{path}.iqn", format_only)
    else:
        errors.append(required(f"{path}.iqn"))
    errors += checks.in_range(number(source, "lun"), 0, 255, f"{path}.lun")
    authenticates = source.get("chapAuthDiscovery") or source.get("chapAuthSession")
    if authenticates and source.get("secretRef") is None:
        errors.append(required(f"{path}.secretRef"))
    errors += network_volumes.secret_name(source, path)
    if initiator is not None:
        errors += network_volumes.iscsi_name(initiator, f"{path}.initiatorname", format_only)
    return errors


def _full_reference(source: Object, path: str) -> Errors:
    """A secret is named with its namespace."""
    if source.get("secretRef") is None:
        return []
    reference = part(source, "secretRef")
    return needs("name", "namespace")(reference, f"{path}.secretRef")


def _cinder(source: Object, path: str) -> Errors:
    return needs("volumeID")(source, path) + _full_reference(source, path)


def _azure_file(source: Object, path: str) -> Errors:
    errors = needs("secretName", "shareName")(source, path)
    return (
        [*errors, required(f"{path}.secretNamespace")]
        if source.get("secretNamespace") == ""
        else errors
    )


def _local(source: Object, path: str) -> Errors:
    if not source.get("path"):
        return [required(f"{path}.path")]
    return no_backsteps(source["path"], f"{path}.path")


def _storageos(source: Object, path: str) -> Errors:
    named = {key: value for key, value in source.items() if key != "secretRef"}
    return network_volumes.storageos(named, path) + _full_reference(source, path)


def _csi(source: Object, path: str) -> Errors:
    errors = network_volumes.driver_name(text(source, "driver"), f"{path}.driver")
    errors += needs("volumeHandle")(source, path)
    for field in _SECRETS:
        if (reference := source.get(field)) is not None:
            errors += _secret(reference, f"{path}.{field}")
    return errors


def _secret(reference: Object, path: str) -> Errors:
    errors: Errors = []
    rules = (("name", formats.dns1123_subdomain), ("namespace", formats.dns1123_label))
    for field, rule in rules:
        if value := text(reference, field):
            errors += checks.obey(rule, value, f"{path}.{field}")
        else:
            errors.append(required(f"{path}.{field}"))
    return errors


SOURCES = (
    _plain("hostPath", host_path),
    _plain("gcePersistentDisk", network_volumes.gce_persistent_disk, named="persistentDisk"),
    _plain("awsElasticBlockStore", network_volumes.aws_elastic_block_store),
    _plain("glusterfs", _glusterfs),
    _plain("flocker", network_volumes.flocker),
    _plain("nfs", network_volumes.nfs),
    _plain("rbd", network_volumes.rbd),
    _plain("quobyte", network_volumes.quobyte),
    _plain("cephfs", network_volumes.cephfs, repeated="cephFS"),
    Source("iscsi", "iscsi", "iscsi", _iscsi),
    _plain("cinder", _cinder),
    _plain("fc", network_volumes.fibre_channel),
    _plain("flexVolume", network_volumes.flex_volume),
    _plain("azureFile", _azure_file),
    _plain("vsphereVolume", network_volumes.vsphere),
    _plain("photonPersistentDisk", network_volumes.photon),
    _plain("portworxVolume", network_volumes.portworx),
    _plain("azureDisk", network_volumes.azure_disk),
    _plain("scaleIO", network_volumes.scale_io),
    _plain("local", _local),
    _plain("storageos", _storageos),
    _plain("csi", _csi),
)
"""In the order of the real server."""
