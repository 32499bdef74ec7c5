"""MutatingAdmissionPolicies: what their expressions make of a write.

Source: apiserver's `admission/plugin/policy/mutating`. What an expression asks of an authorizer is
not evaluated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tutor.sandbox.api.builtin.admission.plugin import Plugin, World, refusal
from tutor.sandbox.api.builtin.admission.policy_targets import Misconfigured, Targets
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.builtin.registration.evaluation import conditions_hold
from tutor.sandbox.api.builtin.registration.patch_types import as_maps, mismatches, plain
from tutor.sandbox.api.managed.checking import complaint
from tutor.sandbox.api.managed.merging import merged
from tutor.sandbox.api.managed.shape import Shape, shape_of
from tutor.sandbox.api.patch import operations
from tutor.sandbox.api.status import ApiError, internal_error
from tutor.sandbox.api.structural.cel.errors import EvaluationError
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.api.webhooks import Write, is_exempt
from tutor.sandbox.kinds import GroupResource, Object, name_of, thaw
from tutor.sandbox.schema.decode import DecodeError

_GROUP = "admissionregistration.k8s.io"
POLICIES = GroupResource(_GROUP, "mutatingadmissionpolicies")
BINDINGS = GroupResource(_GROUP, "mutatingadmissionpolicybindings")
_FORBIDDEN = 403
_SCALARS: dict[type, str] = {
    str: "string",
    bool: "bool",
    int: "int",
    float: "double",
    type(None): "null_type",
}


class _Invocation(NamedTuple):
    policy: Object
    binding: Object
    param: Object | None

    @property
    def again(self) -> bool:
        """Whether it is asked again when others have changed the object."""
        return text(part(self.policy, "spec"), "reinvocationPolicy") == "IfNeeded"


class _Failure(NamedTuple):
    message: str
    reason: str


class _Inapplicable(ValueError):
    """A mutation that does not fit the object; the text is the server's."""


@dataclass(frozen=True, slots=True)
class MutatingPolicies(Plugin):
    """Changes what policies with a binding are about; `others` look at the changed object again."""

    world: World
    targets: Targets
    others: Sequence[Plugin]

    def admit(self, write: Write) -> None:
        """Carry out every policy that the write concerns."""
        bindings = self.world.objects_of(BINDINGS)
        if not bindings or write.new is None or is_exempt(write):
            return
        errors: list[_Failure] = []
        wanted = list(self._invocations(write, bindings, errors))
        before = thaw(write.new)
        for invocation in wanted:
            errors += self._mutated(invocation, write)
        if write.new != before:
            for plugin in self.others:
                if plugin.resources is None or write.served.kind.group_resource in plugin.resources:
                    plugin.admit(write)
            for invocation in wanted:
                if invocation.again:
                    errors += self._mutated(invocation, write)
        if errors:
            raise _refusal(write, errors)

    def _invocations(
        self, write: Write, bindings: Sequence[Object], errors: list[_Failure]
    ) -> Iterator[_Invocation]:
        for policy in sorted(self.world.objects_of(POLICIES), key=name_of):
            mine = [one for one in bindings if one["spec"].get("policyName") == name_of(policy)]
            match = part(policy, "spec", "matchConstraints")
            if not mine or not self.targets.matches(match, write):
                continue
            for binding in sorted(mine, key=name_of):
                if not self.targets.matches(part(binding, "spec", "matchResources"), write):
                    continue
                try:
                    for param in self.targets.params(policy, binding, write):
                        yield _Invocation(policy, binding, param)
                except Misconfigured as error:
                    if _fails(policy):
                        why = f"failed to configure binding: {error}"
                        errors.append(_told(policy, binding, why, "Forbidden"))

    def _mutated(self, invocation: _Invocation, write: Write) -> Iterator[_Failure]:
        """Carry one policy out; yields what fails and counts."""
        policy, binding, param = invocation
        spec = _readable(part(policy, "spec"))
        activation = self.targets.activation(spec, param, write)
        try:
            if not conditions_hold(spec, activation, fails=_fails(policy)):
                return
        except EvaluationError as error:
            yield _told(policy, binding, str(error))
            return
        for mutation in items(spec, "mutations"):
            try:
                self._mutate(mutation, spec, param, write)
            except (EvaluationError, _Inapplicable) as error:
                if _fails(policy):
                    yield _told(policy, binding, str(error))

    def _mutate(self, mutation: Object, spec: Object, param: Object | None, write: Write) -> None:
        is_patch = text(mutation, "patchType") == "JSONPatch"
        field = "jsonPatch" if is_patch else "applyConfiguration"
        written = text(part(mutation, field), "expression").strip()
        activation = self.targets.activation(spec, param, write)
        made = activation.evaluate(as_maps(written), written=written)
        new = write.new or {}
        changed = _patched(new, made) if is_patch else _merged(write, new, made)
        if changed is not new:
            new_object = _typed(write, changed)
            new.clear()
            new.update(new_object)


def _readable(spec: Object) -> Object:
    """The policy with variables that the engine reads."""
    listed = items(spec, "variables")
    read = [one | {"expression": as_maps(text(one, "expression"))} for one in listed]
    return spec | {"variables": read}


def _fails(policy: Object) -> bool:
    return part(policy, "spec").get("failurePolicy", "Fail") == "Fail"


def _told(policy: Object, binding: Object, why: str, reason: str = "Invalid") -> _Failure:
    named = f"policy '{name_of(policy)}' with binding '{name_of(binding)}'"
    return _Failure(f"{named} denied request: {why}", reason)


def _typed(write: Write, changed: Object) -> Object:
    """The object as its kind has it, with defaults; raises ApiError 500 for what it cannot be."""
    strategy = write.served.strategy
    try:
        decoded = strategy.decode(changed).object
    except DecodeError as error:
        raise internal_error("json: " + str(error).rpartition("json: ")[2]) from None
    strategy.default(decoded)
    return decoded


def _patched(obj: Object, made: Any) -> Object:
    if not is_list(made):
        raise _Inapplicable("type mismatch: JSONPatchType.expression should evaluate to array")
    listed = [one for one in made if is_map(one)]
    if len(listed) < len(made):
        wanted = "should evaluate to array of JSONPatch"
        raise _Inapplicable(f"type mismatch: JSONPatchType.expression {wanted}")
    for one in listed:
        if wrong := "\n".join(mismatches(one.get("value"))):
            raise _Inapplicable(f"type mismatch: {wrong}")
    current = obj
    for one in map(plain, listed):
        try:
            current = operations.apply(current, [one])
        except operations.NotApplicable as error:
            if one.get("op") == "test":
                return obj
            raise _Inapplicable(f"JSON Patch: {_explained(one, str(error))}") from None
    return current


def _explained(operation: Object, why: str) -> str:
    if why.startswith("Unexpected kind"):
        return why
    path = operation.get("path", "")
    return f"error in {operation.get('op')} for path: '{path}': {why}: missing value"


def _merged(write: Write, obj: Object, made: object) -> Object:
    if not is_map(made):
        # A variable's type is not known before it is evaluated.
        scalar: type[object] = type(made)
        named = "list" if is_list(made) else _SCALARS.get(scalar, "dyn")
        raise _Inapplicable(f"unsupported return type from ApplyConfiguration expression: {named}")
    if wrong := "\n".join(mismatches(made)):
        raise _Inapplicable(f"type mismatch: {wrong}")
    kind = write.served.kind
    config = plain(made) | {"apiVersion": kind.api_version, "kind": kind.kind}
    shape = shape_of(write.served.strategy.node())
    if why := complaint(config, shape):
        raise _Inapplicable(
            f"error applying patch: failed to convert patch object to typed object: {why}"
        )
    if atomic := ", ".join(_atomics(config, shape, "")):
        raise _Inapplicable(
            "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps"
            f" or structs: {atomic}"
        )
    return merged(obj, config, shape)


def _atomics(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """The paths of what has one owner as a whole, and could lose what is not named."""
    if (is_map(value) or is_list(value)) and shape.kind == "leaf" and shape.node is not None:
        yield path
    elif is_map(value):
        for name, inner in value.items():
            yield from _atomics(inner, shape.field(name), f"{path}.{name}")
    elif is_list(value):
        for index, inner in enumerate(value):
            yield from _atomics(inner, shape.element, f"{path}[{index}]")


def _refusal(write: Write, errors: Sequence[_Failure]) -> ApiError:
    causes = [{"message": one.message} for one in errors]
    details = (refusal(write, "").details or {}) | {"causes": causes}
    return ApiError(_FORBIDDEN, errors[0].reason, errors[0].message, details=details)
