"""What kinds that keep pods have in common: a selector, a template, rolling updates.

Source: `apis/apps/validation/validation.go`.
"""

from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import next_generation
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.spec import template_spec
from tutor.sandbox.api.builtin.pod.warnings import name_warning, pod_warnings
from tutor.sandbox.api.builtin.reading import ordered, part, same
from tutor.sandbox.api.status import forbidden_field, invalid, not_supported, required
from tutor.sandbox.kinds import Object, name_of

IntOrPercent = int | str | None
PATH = "spec.template"


def has_selector(spec: Object, what: str) -> Errors:
    """A selector that selects something; `what` is the kind that its message names."""
    selector = spec.get("selector")
    if selector is None:
        return [required("spec.selector")]
    errors = checks.label_selector(selector, "spec.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.append(invalid("spec.selector", selector, f"empty selector is invalid for {what}"))
    return errors


def is_readable(selector: Object | None) -> bool:
    """Whether a selector can be used at all; none selects nothing, which can be said."""
    return not checks.label_selector(selector, "")


def selects_template(spec: Object) -> Errors:
    """The template's labels are those that are selected."""
    selector, labels = spec.get("selector"), part(spec, "template", "metadata", "labels")
    if selector is not None and checks.selector_matches(selector, labels):
        return []
    why = "`selector` does not match template `labels`"
    return [invalid(f"{PATH}.metadata.labels", ordered(labels) or None, why)]


def runs_always(spec: Object, what: str) -> Errors:
    """Pods that are to be there at all times restart, and have no deadline."""
    pod = part(spec, "template", "spec")
    errors: Errors = []
    if pod.get("restartPolicy") != "Always":
        policy = pod.get("restartPolicy", "")
        errors.append(not_supported(f"{PATH}.spec.restartPolicy", policy, ["Always"]))
    if pod.get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {what} is not Supported"
        errors.append(forbidden_field(f"{PATH}.spec.activeDeadlineSeconds", why))
    return errors


def replicated_template(spec: Object, what: str = "ReplicaSet") -> Errors:
    """The template of something that keeps a number of pods."""
    errors = selects_template(spec) + template_spec(part(spec, "template"), PATH)
    return errors + runs_always(spec, what)


def selector_and_template(spec: Object) -> Errors:
    """Selector and template of replica sets and deployments."""
    errors = has_selector(spec, "deployment")
    if not is_readable(spec.get("selector")):
        return [*errors, invalid("spec.selector", spec.get("selector"), "invalid label selector")]
    return errors + replicated_template(spec)


def int_or_percent(value: IntOrPercent, path: str) -> Errors:
    """Zero or more, or a percentage."""
    if isinstance(value, str):
        return checks.obey(checks.percent, value, path)
    return checks.non_negative(value, path)


def amount(value: IntOrPercent) -> int:
    """The number, of a percentage too; 0 of what is neither."""
    digits = str(value or 0).removesuffix("%")
    return int(digits) if digits.lstrip("-").isdecimal() else 0


def not_over_100_percent(value: IntOrPercent, path: str) -> Errors:
    """No more than everything."""
    is_percent = isinstance(value, str) and not checks.percent(value)
    if is_percent and amount(value) > 100:
        return [invalid(path, value, "must not be greater than 100%")]
    return []


def count_changes(new: Object, old: Object) -> None:
    """One generation more when the spec changes."""
    if not same(new.get("spec"), old.get("spec")):
        next_generation(new, old)


def counted(new: Object, old: Object | None) -> bool:
    """Whether this is a new object, or one of another generation: both are warned about."""
    generations = [part(obj or {}, "metadata").get("generation") for obj in (new, old)]
    return old is None or generations[0] != generations[1]


def template_warnings(obj: Object, old: Object | None) -> list[str]:
    """Warnings of the template of a new or changed object."""
    if not counted(obj, old):
        return []
    template = part(obj, "spec", "template")
    return pod_warnings(part(template, "metadata"), part(template, "spec"), PATH)


def named_warnings(obj: Object, old: Object | None) -> list[str]:
    """The same, and of a new name that pods will have too."""
    said = [] if old is not None else name_warning(name_of(obj), "Pod names and hostnames")
    return said + template_warnings(obj, old)


def counts(status: Object, *fields: str) -> Errors:
    """Numbers of a status, none negative."""
    errors: Errors = []
    for field in fields:
        errors += checks.non_negative(status.get(field), f"status.{field}")
    return errors


def not_more(status: Object, field: str, than: str, shown: str) -> Errors:
    """One number of a status is not greater than another."""
    value = status.get(field) or 0
    if value <= (status.get(than) or 0):
        return []
    return [invalid(f"status.{field}", value, f"cannot be greater than {shown}")]


def not_decremented(new: Object, old: Object, field: str = "collisionCount") -> Errors:
    """A number of a status that only grows."""
    value, before = part(new, "status").get(field), part(old, "status").get(field)
    if before is None or (value is not None and value >= before):
        return []
    return [invalid(f"status.{field}", value or 0, "cannot be decremented")]
