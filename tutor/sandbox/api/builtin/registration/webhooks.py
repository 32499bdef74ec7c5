"""Webhook configurations. Source: `apis/admissionregistration`, apiserver's `util/webhook`."""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import Behaviour, first_generation, next_generation
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import fill_absent, indexed, items, part, same, text
from tutor.sandbox.api.builtin.registration.matching import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    default_rules,
    default_selection,
    match_conditions,
    rule_with_operations,
    static_warnings,
)
from tutor.sandbox.api.status import duplicate, invalid, required
from tutor.sandbox.kinds import Object, name_of

_REINVOCATION = ("IfNeeded", "Never")
_NO_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_SIDE_EFFECTS = ("None", "NoneOnDryRun", "Some", "Unknown")
_REVIEWS = ("v1", "v1beta1")
_FORM = "; desired format: https://host[/path]"


def _default(obj: Object, *, mutating: bool) -> None:
    for webhook in items(obj, "webhooks"):
        fill_absent(webhook, failurePolicy="Fail", timeoutSeconds=10)
        default_selection(webhook)
        if mutating:
            fill_absent(webhook, reinvocationPolicy="Never")
        default_rules(webhook, "rules")
        service = part(webhook, "clientConfig").get("service")
        if service is not None:
            fill_absent(service, port=443)


def _prepare_update(new: Object, old: Object) -> None:
    if not same(new.get("webhooks"), old.get("webhooks")):
        next_generation(new, old)


def _validate(obj: Object) -> Errors:
    return _judge(obj, None)


def _validate_update(new: Object, old: Object) -> Errors:
    return _judge(new, old)


def _judge(obj: Object, old: Object | None) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    known = items(old or {}, "webhooks")
    names: set[str] = set()
    for webhook, path in indexed(obj, "webhooks", ""):
        errors += _webhook(webhook, path, known)
        if not _same_conditions(items(obj, "webhooks"), known, is_new=old is None):
            errors += match_conditions(webhook, path)
        errors += _review_versions(webhook, f"{path}.admissionReviewVersions", known)
        name = text(webhook, "name")
        if name in names and _are_unique(known):
            errors.append(duplicate(f"{path}.name", name))
        names |= {name} if name else set()
    return errors


def _are_unique(webhooks: list[Any]) -> bool:
    names = [text(webhook, "name") for webhook in webhooks]
    return len(set(names)) == len(names)


def _same_conditions(new: list[Any], old: list[Any], *, is_new: bool) -> bool:
    listed, known = ([items(one, "matchConditions") for one in hooks] for hooks in (new, old))
    return not is_new and listed == known


def _webhook(webhook: Object, path: str, known: list[Any]) -> Errors:
    errors = _full_name(text(webhook, "name"), f"{path}.name")
    for rule, at in indexed(webhook, "rules", path):
        errors += rule_with_operations(rule, at)
    errors += checks.one_of(webhook.get("failurePolicy"), FAILURE_POLICIES, f"{path}.failurePolicy")
    errors += checks.one_of(webhook.get("matchPolicy"), MATCH_POLICIES, f"{path}.matchPolicy")
    tidy = all(one.get("sideEffects") in _NO_SIDE_EFFECTS for one in known)
    effects, allowed = webhook.get("sideEffects"), _NO_SIDE_EFFECTS if tidy else _SIDE_EFFECTS
    if effects is None:
        why = f"must specify one of {', '.join(allowed)}"
        errors.append(required(f"{path}.sideEffects", why))
    else:
        errors += checks.one_of(effects, allowed, f"{path}.sideEffects")
    seconds = webhook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        why = "the timeout value must be between 1 and 30 seconds"
        errors.append(invalid(f"{path}.timeoutSeconds", seconds, why))
    selectors = ("namespaceSelector", "objectSelector")
    lax = any(checks.label_selector(one.get(field), "") for one in known for field in selectors)
    for field in selectors:
        errors += checks.label_selector(webhook.get(field), f"{path}.{field}", any_value=lax)
    if (policy := webhook.get("reinvocationPolicy")) is not None:
        errors += checks.one_of(policy, _REINVOCATION, f"{path}.reinvocationPolicy")
    return errors + _client(part(webhook, "clientConfig"), f"{path}.clientConfig")


def _full_name(name: str, path: str) -> Errors:
    if not name:
        return [required(path)]
    if found := formats.dns1123_subdomain(name):
        return [invalid(path, name, ",".join(found))]
    if name.count(".") < 2:
        why = "should be a domain with at least three segments separated by dots"
        return [invalid(path, name, why)]
    return []


def _client(client: Object, path: str) -> Errors:
    url: str | None = client.get("url")
    service: Object | None = client.get("service")
    if (url is None) == (service is None):
        return [required(path, "exactly one of url or service is required")]
    if url is not None:
        return webhook_url(url, f"{path}.url")
    return service_of_webhook(service or {}, f"{path}.service")


def webhook_url(url: str, path: str) -> Errors:
    """Where a webhook outside the cluster is."""
    try:
        found = urlsplit(url)
    except ValueError as error:
        return [required(path, f"url must be a valid URL: {error}{_FORM}")]
    errors: Errors = []
    if found.scheme != "https":
        why = f"'https' is the only allowed URL scheme{_FORM}"
        errors.append(invalid(path, found.scheme, why))
    user, _, host = found.netloc.rpartition("@")
    if not host:
        errors.append(invalid(path, host, f"host must be specified{_FORM}"))
    if user:
        errors.append(invalid(path, user, "user information is not permitted in the URL"))
    if found.fragment:
        errors.append(invalid(path, found.fragment, "fragments are not permitted in the URL"))
    if found.query:
        why = "query parameters are not permitted in the URL"
        errors.append(invalid(path, found.query, why))
    return errors


def service_of_webhook(service: Object, path: str) -> Errors:
    """Where a webhook in the cluster is."""
    # The real server takes name for namespace and the other way round.
    given = {"name": service.get("namespace"), "namespace": service.get("name")}
    errors = [required(f"{path}.{field}") for field in ("name", "namespace") if not given[field]]
    port = service.get("port") or 0
    if not 1 <= port <= 65535:
        why = f"port is not valid: {checks.between(1, 65535)}"
        errors.append(invalid(f"{path}.port", port, why))
    return errors + _url_path(text(service, "path"), f"{path}.path")


def _url_path(value: str, path: str) -> Errors:
    if value in ("", "/"):
        return []
    if value == "//":
        return [invalid(path, value, "segment[0] may not be empty")]
    errors: Errors = []
    if not value.startswith("/"):
        errors.append(invalid(path, value, "must start with a '/'"))
    for index, step in enumerate(value[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(invalid(path, value, f"segment[{index}] may not be empty"))
            continue
        wrong = formats.dns1123_subdomain(step)
        errors += [invalid(path, value, f"segment[{index}]: {why}") for why in wrong]
    return errors


def _review_versions(webhook: Object, path: str, known: list[Any]) -> Errors:
    versions = items(webhook, "admissionReviewVersions")
    if not versions:
        return [required(path, f"must specify one of {', '.join(_REVIEWS)}")]
    errors: Errors = []
    for index, version in enumerate(versions):
        at = f"{path}[{index}]"
        if version in versions[:index]:
            errors.append(invalid(at, version, "duplicate version"))
        else:
            errors += checks.obey(formats.dns1035_label, version, at)
    before = [items(one, "admissionReviewVersions") for one in known]
    strict = all(not listed or set(listed) & set(_REVIEWS) for listed in before)
    if strict and not set(versions) & set(_REVIEWS):
        why = f"must include at least one of {', '.join(_REVIEWS)}"
        errors.append(invalid(path, versions, why))
    return errors


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    return static_warnings(name_of(obj))


def _configuration(*, mutating: bool) -> Behaviour:
    return Behaviour(
        default=partial(_default, mutating=mutating),
        prepare_create=first_generation,
        prepare_update=_prepare_update,
        validate=_validate,
        validate_update=_validate_update,
        warnings=_warnings,
        unconditional_update=False,
    )


MUTATING_WEBHOOK_CONFIGURATION = _configuration(mutating=True)
VALIDATING_WEBHOOK_CONFIGURATION = _configuration(mutating=False)
