"""Ingresses and their classes.

Source: `apis/networking/validation/validation.go`, `registry/networking`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import addresses, checks
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    drop_status,
    first_generation,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import fill_absent, indexed, items, part, text
from tutor.sandbox.api.builtin.workloads.template import count_changes
from tutor.sandbox.api.status import (
    forbidden_field,
    invalid,
    not_supported,
    required,
    too_long,
)
from tutor.sandbox.kinds import Object, annotations_of

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_FORBIDDEN_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_FORBIDDEN_ENDS = ("/..", "/.")
_SCOPES = ("Cluster", "Namespace")
_NO_ADDRESS = "must be a DNS name, not an IP address"
_MAX_CONTROLLER = 250


def _prepare_create(obj: Object) -> None:
    drop_status(obj)
    first_generation(obj)


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    count_changes(new, old)


def _validate(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain) + _spec(part(obj, "spec"), None)
    annotation = annotations_of(obj).get(_CLASS_ANNOTATION)
    name = part(obj, "spec").get("ingressClassName")
    if annotation is not None and name is not None and annotation != name:
        why = "must match `ingressClassName` when both are specified"
        errors.append(invalid(f"annotations.{_CLASS_ANNOTATION}", annotation, why))
    return errors


def _validate_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old) + metadata.built_in(new, metadata.dns_subdomain)
    return errors + _spec(part(new, "spec"), part(old, "spec"))


def _spec(spec: Object, before: Object | None) -> Errors:
    errors: Errors = []
    rules, backend = items(spec, "rules"), spec.get("defaultBackend")
    if not rules and backend is None:
        why = "either `defaultBackend` or `rules` must be specified"
        errors.append(invalid("spec", spec.get("rules"), why))
    if backend is not None:
        errors += _backend(backend, "spec.defaultBackend")
    lax = any(
        "*" in text(rule, "host") and _http(rule, "") for rule in items(before or {}, "rules")
    )
    for rule, path in indexed(spec, "rules", "spec"):
        errors += _rule(rule, path, lax=lax)
    known = [_secret_name(text(tls, "secretName")) for tls in items(before or {}, "tls")]
    for tls, path in indexed(spec, "tls", "spec"):
        for host, at in indexed(tls, "hosts", path):
            errors += _host(host, at)
        if not any(known):
            name = text(tls, "secretName")
            errors += checks.obey(_secret_name, name, f"{path}.secretName")
    if (name := spec.get("ingressClassName")) is not None:
        errors += checks.obey(formats.dns1123_subdomain, name, "spec.ingressClassName")
    return errors


def _secret_name(name: str) -> list[str]:
    return formats.dns1123_subdomain(name) if name else []


def _host(host: str, path: str) -> Errors:
    rule = checks.wildcard_subdomain if "*" in host else formats.dns1123_subdomain
    return checks.obey(rule, host, path)


def _rule(rule: Object, path: str, *, lax: bool) -> Errors:
    """One host. `lax`: it has a star, and was already wrong before stars were judged."""
    errors: Errors = []
    if host := text(rule, "host"):
        if addresses.address(host) is not None:
            errors.append(invalid(f"{path}.host", host, _NO_ADDRESS))
        errors += _host(host, f"{path}.host")
    return errors if lax and "*" in host else errors + _http(rule, path)


def _http(rule: Object, path: str) -> Errors:
    http = rule.get("http")
    if http is None:
        return []
    errors: Errors = []
    if not items(http, "paths"):
        errors.append(required(f"{path}.http.paths"))
    for one, at in indexed(http, "paths", f"{path}.http"):
        errors += _path(one, at)
    return errors


def _path(given: Object, path: str) -> Errors:
    kind, value = given.get("pathType"), text(given, "path")
    if kind is None:
        return [required(f"{path}.pathType", "pathType must be specified")]
    at = f"{path}.path"
    errors: Errors = []
    exact = kind in ("Exact", "Prefix")
    if kind not in _PATH_TYPES:
        errors.append(not_supported(f"{path}.pathType", kind, _PATH_TYPES))
    elif not value.startswith("/") and (exact or value):
        errors.append(invalid(at, value, "must be an absolute path"))
    if exact:
        found = [f"must not contain '{one}'" for one in _FORBIDDEN_IN_PATHS if one in value]
        found += [f"cannot end with '{one}'" for one in _FORBIDDEN_ENDS if value.endswith(one)]
        errors += [invalid(at, value, why) for why in found]
    return errors + _backend(part(given, "backend"), f"{path}.backend")


def _backend(backend: Object, path: str) -> Errors:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        return [invalid(path, "", "cannot set both resource and service backends")]
    if resource is not None:
        return _reference(resource, f"{path}.resource")
    if service is None:
        return [invalid(path, "", "resource or service backend is required")]
    errors: Errors = []
    at = f"{path}.service"
    if name := text(service, "name"):
        errors += checks.obey(formats.dns1123_label, name, f"{at}.name")
    else:
        errors.append(required(f"{at}.name"))
    port = part(service, "port")
    name, number = text(port, "name"), port.get("number") or 0
    if name and number:
        errors.append(invalid(path, "", "cannot set both port name & port number"))
    elif name:
        errors += checks.obey(checks.port_name, name, f"{at}.port.name")
    elif number:
        errors += checks.port(number, f"{at}.port.number")
    else:
        errors.append(required(path, "port name or number is required"))
    return errors


def _reference(reference: Object, path: str) -> Errors:
    errors: Errors = []
    if (group := reference.get("apiGroup")) is not None:
        errors += checks.obey(formats.dns1123_subdomain, group, f"{path}.apiGroup")
    for field in ("kind", "name"):
        if value := text(reference, field):
            errors += checks.obey(checks.path_segment, value, f"{path}.{field}")
        else:
            errors.append(required(f"{path}.{field}"))
    return errors


def _warnings(obj: Object, old: Object | None) -> list[str]:
    named = part(obj, "spec").get("ingressClassName") is not None
    if old is not None or named or _CLASS_ANNOTATION not in annotations_of(obj):
        return []
    instead = "please use 'spec.ingressClassName' instead"
    return [f'annotation "{_CLASS_ANNOTATION}" is deprecated, {instead}']


def _validate_status(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    known = [text(one, "ip") for one in items(old, "status", "loadBalancer", "ingress")]
    balancer = part(new, "status", "loadBalancer")
    for point, path in indexed(balancer, "ingress", "status.loadBalancer"):
        if ip := text(point, "ip"):
            errors += addresses.ip(ip, f"{path}.ip", known=known)
        if host := text(point, "hostname"):
            errors += checks.obey(formats.dns1123_subdomain, host, f"{path}.hostname")
            if addresses.address(host) is not None:
                errors.append(invalid(f"{path}.hostname", host, _NO_ADDRESS))
    return errors


def _status_warnings(obj: Object, _old: Object | None) -> list[str]:
    balancer = part(obj, "status", "loadBalancer")
    return [
        warning
        for point, path in indexed(balancer, "ingress", "status.loadBalancer")
        if text(point, "ip")
        for warning in addresses.ip_warnings(text(point, "ip"), path)
    ]


INGRESS = Behaviour(
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    subpaths={"status": Subpath(validate=_validate_status, warnings=_status_warnings)},
)


def _default_class(obj: Object) -> None:
    parameters = part(obj, "spec").get("parameters")
    if parameters is not None:
        fill_absent(parameters, scope="Cluster")


def _validate_class(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    spec = part(obj, "spec")
    controller = text(spec, "controller")
    if len(controller.encode()) > _MAX_CONTROLLER:
        errors.append(too_long("spec.controller", _MAX_CONTROLLER))
    errors += checks.domain_prefixed_path(controller, "spec.controller")
    parameters = spec.get("parameters")
    return errors if parameters is None else errors + _parameters(parameters, "spec.parameters")


def _parameters(parameters: Object, path: str) -> Errors:
    errors = _reference(parameters, path)
    scope, namespace = text(parameters, "scope"), parameters.get("namespace")
    if scope not in _SCOPES:
        errors.append(not_supported(f"{path}.scope", scope, _SCOPES))
    elif scope == "Namespace":
        if namespace is None:
            why = "`parameters.scope` is set to 'Namespace'"
            errors.append(required(f"{path}.namespace", why))
        else:
            errors += checks.obey(formats.dns1123_label, namespace, f"{path}.namespace")
    elif namespace is not None:
        errors.append(
            forbidden_field(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")
        )
    return errors


def _validate_class_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    controller, before = (text(part(obj, "spec"), "controller") for obj in (new, old))
    errors += checks.immutable(controller, before, "spec.controller")
    return errors + _validate_class(new)


INGRESS_CLASS = Behaviour(
    default=_default_class,
    prepare_create=first_generation,
    prepare_update=count_changes,
    validate=_validate_class,
    validate_update=_validate_class_update,
)
