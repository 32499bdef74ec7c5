"""Volumes of a pod. Source: `apis/core/validation/validation.go`."""

from collections.abc import Callable

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks, quantity
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod import network_volumes
from tutor.sandbox.api.builtin.pod.paths import descending, no_backsteps
from tutor.sandbox.api.builtin.pod.projection import downward_file, key_to_path, mode, projected
from tutor.sandbox.api.builtin.reading import indexed, items, text
from tutor.sandbox.api.builtin.storage.claim import claim_template
from tutor.sandbox.api.status import duplicate, forbidden_field, invalid, not_supported, required
from tutor.sandbox.kinds import Object

Source = Callable[[Object, str], Errors]

HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)


def empty_dir(source: Object, path: str) -> Errors:
    """A folder of the pod's own."""
    size = source.get("sizeLimit")
    if size is None or quantity.parse(size) >= quantity.ZERO:
        return []
    why = "SizeLimit field must be a valid resource quantity"
    return [forbidden_field(f"{path}.sizeLimit", why)]


def host_path(source: Object, path: str) -> Errors:
    """A folder or file of the node."""
    at = text(source, "path")
    if not at:
        return [required(f"{path}.path")]
    errors = no_backsteps(at, f"{path}.path")
    kind = source.get("type")
    if kind is not None and kind not in HOST_PATH_TYPES:
        errors.append(not_supported(f"{path}.type", kind, HOST_PATH_TYPES))
    return errors


def _git_repo(source: Object, path: str) -> Errors:
    errors = [] if source.get("repository") else [required(f"{path}.repository")]
    return errors + descending(text(source, "directory"), f"{path}.directory")


def _secret(source: Object, path: str) -> Errors:
    errors = [] if source.get("secretName") else [required(f"{path}.secretName")]
    return errors + _files(source, path)


def _config_map(source: Object, path: str) -> Errors:
    errors = [] if source.get("name") else [required(f"{path}.name")]
    return errors + _files(source, path)


def _files(source: Object, path: str) -> Errors:
    errors = mode(source.get("defaultMode"), f"{path}.defaultMode")
    for item, at in indexed(source, "items", path):
        errors += key_to_path(item, at)
    return errors


def _claim(source: Object, path: str) -> Errors:
    return [] if source.get("claimName") else [required(f"{path}.claimName")]


def _downward(source: Object, path: str) -> Errors:
    errors = mode(source.get("defaultMode"), f"{path}.defaultMode")
    for file in items(source, "items"):
        errors += downward_file(file, path)
    return errors


def _csi(source: Object, path: str) -> Errors:
    errors = network_volumes.driver_name(text(source, "driver"), f"{path}.driver")
    reference = source.get("nodePublishSecretRef")
    if reference is None:
        return errors
    at = f"{path}.nodePublishSecretRef"
    if not reference.get("name"):
        errors.append(required(f"{at}.name"))
    else:
        # The real server names the wrong field here.
        errors += checks.obey(formats.dns1123_subdomain, reference["name"], f"{path}.name")
    return errors


def _ephemeral(source: Object, path: str) -> Errors:
    template = source.get("volumeClaimTemplate")
    if template is None:
        return [required(f"{path}.volumeClaimTemplate")]
    return claim_template(template, f"{path}.volumeClaimTemplate")


def _image(source: Object, path: str) -> Errors:
    policies = ("Always", "IfNotPresent", "Never")
    return checks.required_one_of(source.get("pullPolicy"), policies, f"{path}.pullPolicy")


# In the order of the real server, with the names it uses in paths, which are not always the fields.
_SOURCES: tuple[tuple[str, str, str, Source], ...] = (
    ("emptyDir", "emptyDir", "emptyDir", empty_dir),
    ("hostPath", "hostPath", "hostPath", host_path),
    ("gitRepo", "gitRepo", "gitRepo", _git_repo),
    (
        "gcePersistentDisk",
        "gcePersistentDisk",
        "persistentDisk",
        network_volumes.gce_persistent_disk,
    ),
    (
        "awsElasticBlockStore",
        "awsElasticBlockStore",
        "awsElasticBlockStore",
        network_volumes.aws_elastic_block_store,
    ),
    ("secret", "secret", "secret", _secret),
    ("nfs", "nfs", "nfs", network_volumes.nfs),
    ("iscsi", "iscsi", "iscsi", network_volumes.iscsi),
    ("glusterfs", "glusterfs", "glusterfs", network_volumes.glusterfs),
    ("flocker", "flocker", "flocker", network_volumes.flocker),
    ("persistentVolumeClaim", "persistentVolumeClaim", "persistentVolumeClaim", _claim),
    ("rbd", "rbd", "rbd", network_volumes.rbd),
    ("cinder", "cinder", "cinder", network_volumes.cinder),
    ("cephfs", "cephFS", "cephfs", network_volumes.cephfs),
    ("quobyte", "quobyte", "quobyte", network_volumes.quobyte),
    ("downwardAPI", "downwarAPI", "downwardAPI", _downward),
    ("fc", "fc", "fc", network_volumes.fibre_channel),
    ("flexVolume", "flexVolume", "flexVolume", network_volumes.flex_volume),
    ("configMap", "configMap", "configMap", _config_map),
    ("azureFile", "azureFile", "azureFile", network_volumes.azure_file),
    ("vsphereVolume", "vsphereVolume", "vsphereVolume", network_volumes.vsphere),
    (
        "photonPersistentDisk",
        "photonPersistentDisk",
        "photonPersistentDisk",
        network_volumes.photon,
    ),
    ("portworxVolume", "portworxVolume", "portworxVolume", network_volumes.portworx),
    ("azureDisk", "azureDisk", "azureDisk", network_volumes.azure_disk),
    ("storageos", "storageos", "storageos", network_volumes.storageos),
    ("projected", "projected", "projected", projected),
    ("scaleIO", "scaleIO", "scaleIO", network_volumes.scale_io),
    ("csi", "csi", "csi", _csi),
    ("ephemeral", "ephemeral", "ephemeral", _ephemeral),
    ("image", "image", "image", _image),
)


def _source(volume: Object, path: str, pod_name: str, *, is_pod: bool) -> Errors:
    errors: Errors = []
    given = 0
    for field, repeated, named, judge in _SOURCES:
        source = volume.get(field)
        if source is None:
            continue
        if given and field != "emptyDir":
            why = "may not specify more than 1 volume type"
            errors.append(forbidden_field(f"{path}.{repeated}", why))
            continue
        given += 1
        errors += judge(source, f"{path}.{named}")
        errors += _beyond_the_source(volume, field, path, pod_name, is_pod=is_pod)
    return errors if given else [required(path, "must specify a volume type")]


def _beyond_the_source(
    volume: Object, field: str, path: str, pod_name: str, *, is_pod: bool
) -> Errors:
    """What depends on more than the source itself."""
    name, source = text(volume, "name"), volume[field]
    if field == "image" and is_pod and not source.get("reference"):
        return [required(f"{path}.image.reference")]
    if field == "ephemeral" and pod_name and name:
        claim = f"{pod_name}-{name}"
        complaints = formats.dns1123_subdomain(claim)
        return [invalid(f"{path}.name", name, f'PVC name "{claim}": {why}') for why in complaints]
    too_long = f"{name}:{text(source, 'targetPortal')}" if field == "iscsi" else ""
    if source.get("initiatorName") is not None and len(too_long) > 64:
        why = (
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
            "iscsi.initiatorName is specified."
        )
        return [invalid(f"{path}.name", name, why)]
    return []


def volumes(spec: Object, path: str, pod_name: str, *, is_pod: bool) -> tuple[Errors, set[str]]:
    """All volumes: what is wrong with them, and the names of those that may be mounted."""
    errors: Errors = []
    good: set[str] = set()
    own_claims = {
        f"{pod_name}-{text(volume, 'name')}"
        for volume in items(spec, "volumes")
        if pod_name and volume.get("ephemeral") is not None
    }
    for volume, at in indexed(spec, "volumes", path):
        name = text(volume, "name")
        found = _source(volume, at, pod_name, is_pod=is_pod)
        if name:
            found += checks.obey(formats.dns1123_label, name, f"{at}.name")
        else:
            found.append(required(f"{at}.name"))
        if name in good:
            found.append(duplicate(f"{at}.name", name))
        if not found:
            good.add(name)
        errors += found
        claim = text(volume.get("persistentVolumeClaim") or {}, "claimName")
        if claim in own_claims:
            why = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(invalid(f"{at}.persistentVolumeClaim.claimName", claim, why))
    return errors, good
