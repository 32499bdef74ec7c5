"""MutatingAdmissionPolicies: what a kube-apiserver v1.36.2 was seen to do with the same ones."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, Reply, config_map, obj, pod
from tutor.sandbox.api.builtin.registration.patch_types import as_maps
from tutor.sandbox.kinds import Object

GROUP = "admissionregistration.k8s.io/v1"
POLICIES = f"/apis/{GROUP}/mutatingadmissionpolicies"
BINDINGS = f"/apis/{GROUP}/mutatingadmissionpolicybindings"
MAPS = "/api/v1/namespaces/here/configmaps"
PODS = "/api/v1/namespaces/here/pods"
RULE = {
    "operations": ["CREATE", "UPDATE"],
    "apiGroups": ["*"],
    "apiVersions": ["*"],
    "resources": ["configmaps", "pods"],
}
DENIED = "policy 'p' with binding 'p' denied request: "


def applying(expression: str) -> Object:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patching(expression: str) -> Object:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def policy(*mutations: Object, **spec: Any) -> Object:
    given = {
        "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": [RULE]},
        "mutations": list(mutations),
    }
    return obj("MutatingAdmissionPolicy", "p", version=GROUP, spec=given | spec)


async def install(api: Api, *mutations: Object, binding: Object | None = None, **spec: Any) -> None:
    await api.make(POLICIES, policy(*mutations, **spec))
    bound = {"policyName": "p"} | (binding or {})
    await api.make(BINDINGS, obj("MutatingAdmissionPolicyBinding", "p", version=GROUP, spec=bound))


async def write(api: Api) -> Reply:
    body = config_map("m", data={"k": "v"}, metadata={"labels": {"x": "y"}})
    return await api.ask("POST", f"{MAPS}?dryRun=All", body)


@pytest.mark.parametrize(
    ("mutation", "data"),
    [
        (applying("Object{data: {'q': object.metadata.name}}"), {"k": "v", "q": "m"}),
        (applying("Object{}"), {"k": "v"}),
        (
            applying("has(object.data.k) ? Object{data: {'v': 'has'}} : Object{}"),
            {"k": "v", "v": "has"},
        ),
        (patching("[JSONPatch{op: 'remove', path: '/data/k'}]"), None),
        (patching("[1].filter(i, i > 1).map(i, JSONPatch{op: 'remove'})"), {"k": "v"}),
        (
            patching(
                "[JSONPatch{op: 'test', path: '/data/k', value: 'w'},"
                " JSONPatch{op: 'add', path: '/data/n', value: '1'}]"
            ),
            {"k": "v"},
        ),
        (
            patching(
                "[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('a~b'), value: 'w'}]"
            ),
            {"k": "v", "a~b": "w"},
        ),
    ],
)
async def test_policy_changes_what_is_written(
    api: Api, mutation: Object, data: Object | None
) -> None:
    await install(api, mutation)
    reply = await write(api)
    if data == {"k": "v", "a~b": "w"}:
        assert "a~b" in reply.message
        return
    assert reply.status == 201
    assert reply.body.get("data") == data


@pytest.mark.parametrize(
    ("mutation", "why"),
    [
        (
            patching("[JSONPatch{op: 'remove', path: '/data/none'}]"),
            (
                "JSON Patch: error in remove for path: '/data/none':"
                " Unable to remove nonexistent key: none: missing value"
            ),
        ),
        (patching("[JSONPatch{op: 'foo', path: '/a'}]"), "JSON Patch: Unexpected kind: foo"),
        (
            applying("Object{foo: 'other'}"),
            (
                "error applying patch: failed to convert patch object to typed object:"
                " .foo: field not declared in schema"
            ),
        ),
        (
            applying("Object{data: {'v': object.data.none}}"),
            (
                "expression 'Object{data: {'v': object.data.none}}' resulted in error:"
                " no such key: none"
            ),
        ),
        (
            applying("Object{metadata: Object.spec{}}"),
            (
                'type mismatch: unexpected type name "Object.spec", expected "Object.metadata",'
                " which matches field name path from root Object type"
            ),
        ),
    ],
)
async def test_mutation_that_fails_refuses_the_write_and_says_why(
    api: Api, mutation: Object, why: str
) -> None:
    await install(api, mutation)
    refused = await write(api)
    assert (refused.status, refused.reason) == (403, "Invalid")
    assert refused.message == DENIED + why
    assert refused.body["details"]["causes"] == [{"message": DENIED + why}]


async def test_variable_that_is_no_object_refuses_the_write(api: Api) -> None:
    given = [{"name": "made", "expression": "request.kind.kind"}]
    await install(api, applying("variables.made"), variables=given)
    refused = await write(api)
    why = "unsupported return type from ApplyConfiguration expression: string"
    assert (refused.status, refused.message) == (403, DENIED + why)


async def test_patch_of_other_things_than_operations_refuses_the_write(api: Api) -> None:
    given = [{"name": "made", "expression": "[request.kind.kind]"}]
    await install(api, patching("variables.made"), variables=given)
    refused = await write(api)
    why = "type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch"
    assert (refused.status, refused.message) == (403, DENIED + why)


@pytest.mark.parametrize(
    ("mutation", "got"),
    [
        (applying("variables.text"), "Object but got string"),
        (applying("'a' + variables.text"), "Object but got string"),
        (applying("'variables.made'"), "Object but got string"),
        (applying("variables.made"), "Object but got dyn"),
        (applying("true ? variables.made : Object{}"), "Object but got dyn"),
        (patching("variables.patches"), "list(JSONPatch) but got dyn"),
        (patching("[]"), "list(JSONPatch) but got list(dyn)"),
        (patching("[object.spec]"), "list(JSONPatch) but got list(dyn)"),
        (patching("[variables.text]"), "list(JSONPatch) but got list(string)"),
        (patching("[variables.part]"), "list(JSONPatch) but got list(dyn)"),
    ],
)
async def test_what_a_variable_holds_is_not_taken_for_an_object(
    api: Api, mutation: Object, got: str
) -> None:
    given = {
        "text": "'x'",
        "made": "Object{}",
        "part": "object.spec",
        "patches": "[JSONPatch{op: 'remove', path: '/data/k'}]",
    }
    variables = [{"name": name, "expression": value} for name, value in given.items()]
    refused = await api.ask("POST", POLICIES, policy(mutation, variables=variables))
    assert refused.status == 422
    (cause,) = refused.body["details"]["causes"]
    assert cause["message"].endswith(f"must evaluate to {got}")


async def test_failure_that_is_ignored_leaves_the_object_as_it_is(api: Api) -> None:
    await install(api, applying("Object{foo: '1'}"), failurePolicy="Ignore")
    assert (await write(api)).body["data"] == {"k": "v"}


async def test_what_has_one_owner_as_a_whole_is_not_applied_in_part(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    await install(api, applying("Object{spec: Object.spec{nodeSelector: {'a': 'b'}}}"))
    refused = await api.ask("POST", PODS, pod("a"))
    assert refused.message == (
        f"{DENIED}error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays,"
        " maps or structs: .spec.nodeSelector"
    )


async def test_container_that_a_policy_adds_is_treated_as_the_others(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    made = "Object.spec.containers{name: 'n', image: 'example.org/side:1'}"
    await install(
        api, patching(f"[JSONPatch{{op: 'add', path: '/spec/containers/-', value: {made}}}]")
    )
    first, second = (await api.make(PODS, pod("a")))["spec"]["containers"]
    assert second["name"] == "n"
    assert second["volumeMounts"] == first["volumeMounts"]
    assert second["imagePullPolicy"] == "IfNotPresent"


async def test_mutations_follow_one_another_and_own_nothing(api: Api) -> None:
    await install(
        api,
        applying("Object{data: {'v': variables.a}}"),
        patching("[JSONPatch{op: 'replace', path: '/data/v', value: object.data.v + '2'}]"),
        variables=[{"name": "a", "expression": "object.metadata.name + '-1'"}],
    )
    made = (await write(api)).body
    assert made["data"] == {"k": "v", "v": "m-12"}
    (entry,) = made["metadata"]["managedFields"]
    assert entry["fieldsV1"]["f:data"] == {".": {}, "f:k": {}}


async def test_condition_and_binding_decide_what_a_policy_is_about(api: Api) -> None:
    condition = {"name": "c", "expression": "object.metadata.name == 'other'"}
    await install(api, applying("Object{data: {'v': '1'}}"), matchConditions=[condition])
    assert (await write(api)).body["data"] == {"k": "v"}


async def test_missing_parameters_refuse_the_write(api: Api) -> None:
    reference = {"name": "none", "namespace": "here", "parameterNotFoundAction": "Deny"}
    await install(
        api,
        applying("Object{data: {'v': params.data.p}}"),
        binding={"paramRef": reference},
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
    )
    refused = await write(api)
    assert refused.reason == "Forbidden"
    assert refused.message == (
        f"{DENIED}failed to configure binding: no params found for policy binding with `Deny`"
        " parameterNotFoundAction"
    )


@pytest.mark.parametrize(
    ("mutation", "why"),
    [
        (applying("true"), "must evaluate to Object but got bool"),
        (applying("{'a': 'b'}"), "must evaluate to Object but got map(string, string)"),
        (applying("object"), "must evaluate to Object but got dyn"),
        (applying("Object.metadata{}"), "must evaluate to Object but got Object.metadata"),
        (patching("Object{}"), "must evaluate to list(JSONPatch) but got Object"),
        (patching("[5]"), "must evaluate to list(JSONPatch) but got list(int)"),
        (
            patching("[JSONPatch{op: 'add', value: undefinedThing}]"),
            (
                "compilation failed: ERROR: <input>:1:30: undeclared reference to 'undefinedThing'"
                " (in container '')\n | [JSONPatch{op: 'add', value: undefinedThing}]\n"
                " | .............................^"
            ),
        ),
        (
            applying("variables.x"),
            (
                "compilation failed: ERROR: <input>:1:10: undefined field 'x'\n"
                " | variables.x\n | .........^"
            ),
        ),
    ],
)
async def test_expression_of_another_type_is_refused(api: Api, mutation: Object, why: str) -> None:
    refused = await api.ask("POST", POLICIES, policy(mutation))
    assert refused.status == 422
    (cause,) = refused.body["details"]["causes"]
    assert cause["message"].endswith(why)


async def test_policy_without_anything_is_told_what_it_needs(api: Api) -> None:
    refused = await api.ask("POST", POLICIES, obj("MutatingAdmissionPolicy", "p", version=GROUP))
    told = {cause["field"]: cause["message"] for cause in refused.body["details"]["causes"]}
    assert told == {
        "spec.matchConstraints": "Required value",
        "spec.mutations": "Required value: mutations must contain at least one item",
        "spec.reinvocationPolicy": "Required value",
    }


@pytest.mark.parametrize(
    ("expression", "made"),
    [
        ("Object{}", '{"@type": "Object"}'),
        ("{'Object': x}", "{'Object': x}"),
        ("Object{a: {b: c}, ?d: e}", '{"@type": "Object", "a": {b: c}, ?"d": e}'),
        ("f('Object{a: 1}')", "f('Object{a: 1}')"),
    ],
)
def test_typed_literals_are_read_as_maps(expression: str, made: str) -> None:
    assert as_maps(expression) == made
