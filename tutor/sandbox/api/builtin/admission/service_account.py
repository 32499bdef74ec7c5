"""ServiceAccount: every pod runs as an account of its namespace, and gets its token mounted.

Source: Kubernetes' `plugin/pkg/admission/serviceaccount`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tutor.sandbox.api.builtin.admission.plugin import PODS, Plugin, World, concerns, refusal
from tutor.sandbox.api.builtin.pod.reading import containers
from tutor.sandbox.api.builtin.reading import ensure, items, part, text
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object, annotations_of, name_of

ACCOUNTS = GroupResource("", "serviceaccounts")
MIRROR = "kubernetes.io/config.mirror"
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path, no secret
_VOLUME = "kube-api-access-"
_SUFFIX_LENGTH = 5
_TOKEN_SECONDS = 3607
_MODE = 0o644
_ENFORCE = "kubernetes.io/enforce-mountable-secrets"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_REFERENCES = (
    "cephfs",
    "cinder",
    "flexVolume",
    "rbd",
    "scaleIO",
    "iscsi",
    "storageos",
)


@dataclass(frozen=True, slots=True)
class ServiceAccount(Plugin):
    """Sees to the account of pods. `suffix` makes the random end of a generated name."""

    resources = frozenset({PODS})

    world: World
    suffix: Callable[[int], str]

    def admit(self, write: Write) -> None:
        """Name the account, mount its token, and take over its pull secrets."""
        if write.new is None or not concerns(write, PODS, "CREATE"):
            return
        if MIRROR not in annotations_of(write.new):
            spec = ensure(write.new, "spec")
            name = text(spec, "serviceAccountName") or "default"
            spec["serviceAccountName"] = spec["serviceAccount"] = name
            account = self._account(write, name)
            if _automounts(spec, account):
                self._mount(spec)
            pulls = items(account, "imagePullSecrets")
            if pulls and not spec.get("imagePullSecrets"):
                spec["imagePullSecrets"] = [{"name": name_of_reference(one)} for one in pulls]
        self.validate(write)

    def validate(self, write: Write) -> None:
        """Refuse a pod whose account is missing or may not use what the pod uses."""
        new = write.new or {}
        created = concerns(write, PODS, "CREATE")
        extended = concerns(write, PODS, "UPDATE", subresource="ephemeralcontainers")
        if not created and not extended:
            return
        if created and MIRROR in annotations_of(new):
            _judge_mirror(write, part(new, "spec"))
            return
        spec = part(new, "spec")
        name = text(spec, "serviceAccountName")
        if not name:
            why = f"no service account specified for pod {write.namespace}/{write.name}"
            raise refusal(write, why)
        account = self._account(write, name)
        if annotations_of(account).get(_ENFORCE) not in _TRUE:
            return
        found = _unmountable(spec, account) if created else _unmountable_later(spec, account)
        if why := next(found, ""):
            raise refusal(write, why)

    def _account(self, write: Write, name: str) -> Object:
        found = self.world.find(ACCOUNTS, write.namespace, name)
        if found is None:
            why = f"error looking up service account {write.namespace}/{name}"
            raise refusal(write, f'{why}: serviceaccount "{name}" not found')
        return found

    def _mount(self, spec: Object) -> None:
        names = [text(volume, "name") for volume in items(spec, "volumes")]
        existing = next((name for name in names if name.startswith(_VOLUME)), "")
        volume = existing or _VOLUME + self.suffix(_SUFFIX_LENGTH)
        needed = False
        for container in (*items(spec, "initContainers"), *items(spec, "containers")):
            mounts = items(container, "volumeMounts")
            if any(mount.get("mountPath") == TOKEN_PATH for mount in mounts):
                continue
            mount = {"name": volume, "readOnly": True, "mountPath": TOKEN_PATH}
            container["volumeMounts"] = [*mounts, mount]
            needed = True
        if needed and not existing:
            spec["volumes"] = [
                *items(spec, "volumes"),
                {"name": volume, "projected": _token_volume()},
            ]


def name_of_reference(reference: Object) -> str:
    """The name in a reference, empty when there is none."""
    return text(reference, "name")


def _token_volume() -> Object:
    namespace = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
            {
                "configMap": {
                    "name": "kube-root-ca.crt",
                    "items": [{"key": "ca.crt", "path": "ca.crt"}],
                }
            },
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": namespace}]}},
        ],
        "defaultMode": _MODE,
    }


def _automounts(spec: Object, account: Object) -> bool:
    for one in (spec, account):
        if (decided := one.get("automountServiceAccountToken")) is not None:
            return bool(decided)
    return True


def _judge_mirror(write: Write, spec: Object) -> None:
    """A mirror pod shows what a node runs by itself; it can have nothing from the API."""
    if spec.get("serviceAccountName"):
        raise refusal(write, "a mirror pod may not reference service accounts")
    if any(_secret_names(spec)):
        raise refusal(write, "a mirror pod may not reference secrets")
    for volume in items(spec, "volumes"):
        sources = items(volume, "projected", "sources")
        if any(source.get("serviceAccountToken") is not None for source in sources):
            why = "a mirror pod may not use ServiceAccountToken volume projections"
            raise refusal(write, why)


def _secret_names(spec: Object) -> Iterator[str]:
    for reference in items(spec, "imagePullSecrets"):
        yield name_of_reference(reference)
    for container, _ in containers(spec):
        for _, name in _environment(container):
            yield name
    for volume in items(spec, "volumes"):
        yield text(part(volume, "secret"), "secretName")
        yield text(part(volume, "azureFile"), "secretName")
        yield text(part(volume, "csi", "nodePublishSecretRef"), "name")
        for source in _REFERENCES:
            yield text(part(volume, source, "secretRef"), "name")
        for source in items(volume, "projected", "sources"):
            yield text(part(source, "secret"), "name")


def _environment(container: Object) -> Iterator[tuple[str, str]]:
    """How a container's environment refers to secrets, and which."""
    for env in items(container, "env"):
        reference = part(env, "valueFrom").get("secretKeyRef")
        if reference is not None:
            yield f"envVar {text(env, 'name')}", text(reference, "name")
    for source in items(container, "envFrom"):
        if (reference := source.get("secretRef")) is not None:
            yield "envFrom", text(reference, "name")


def _unmountable(spec: Object, account: Object) -> Iterator[str]:
    """Why the pod uses what its account does not list."""
    allowed, owner = _listed(account, "secrets"), name_of(account)
    because = f"is not allowed because service account {owner} does not reference that"
    for volume in items(spec, "volumes"):
        secret = text(part(volume, "secret"), "secretName")
        if volume.get("secret") is not None and secret not in allowed:
            yield f'volume with secret.secretName="{secret}" {because} secret'
    for field, label in (("initContainers", "init container"), ("containers", "container")):
        yield from _unmountable_environment(spec, account, field, label)
    pulls = _listed(account, "imagePullSecrets")
    for index, reference in enumerate(items(spec, "imagePullSecrets")):
        name = name_of_reference(reference)
        if name not in pulls:
            yield f'imagePullSecrets[{index}].name="{name}" {because} imagePullSecret'


def _unmountable_later(spec: Object, account: Object) -> Iterator[str]:
    field, label = "ephemeralContainers", "ephemeral container"
    return _unmountable_environment(spec, account, field, label)


def _unmountable_environment(
    spec: Object, account: Object, field: str, label: str
) -> Iterator[str]:
    allowed, owner = _listed(account, "secrets"), name_of(account)
    for container in items(spec, field):
        for how, secret in _environment(container):
            if secret not in allowed:
                yield (
                    f'{label} {text(container, "name")} with {how} referencing secret.secretName="'
                    f'{secret}" is not allowed because service account {owner} does not reference'
                    " that secret"
                )


def _listed(account: Object, field: str) -> set[str]:
    return {name_of_reference(one) for one in items(account, field)}
