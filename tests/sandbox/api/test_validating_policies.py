"""ValidatingAdmissionPolicies over the API.

Source: Kubernetes' documentation, "Validating Admission Policy"; apiserver's
`admission/plugin/policy`.
"""

from typing import Any

import pytest

from tests.fakes.cluster import Api, Reply, config_map, obj
from tutor.sandbox.controllers.admission_policies import AdmissionPolicies
from tutor.sandbox.kinds import Object

VERSION = "admissionregistration.k8s.io/v1"
POLICIES = f"/apis/{VERSION}/validatingadmissionpolicies"
BINDINGS = f"/apis/{VERSION}/validatingadmissionpolicybindings"
MAPS = "/api/v1/namespaces/here/configmaps"
SIZE = {"expression": "object.data.size() <= 1", "message": "too much"}


def rule(resource: str = "configmaps", *operations: str) -> Object:
    return {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": list(operations) or ["CREATE", "UPDATE"],
        "resources": [resource],
    }


def policy(*validations: Object, rules: list[Object] | None = None, **spec: Any) -> Object:
    constraints = {"resourceRules": rules or [rule()]}
    whole = {"matchConstraints": constraints, "validations": list(validations)} | spec
    return obj("ValidatingAdmissionPolicy", "p", version=VERSION, spec=whole)


def binding(*actions: str, **spec: Any) -> Object:
    whole = {"policyName": "p", "validationActions": list(actions) or ["Deny"]} | spec
    return obj("ValidatingAdmissionPolicyBinding", "b", version=VERSION, spec=whole)


async def bind(api: Api, made: Object, *actions: str, **spec: Any) -> None:
    await api.make(POLICIES, made)
    await api.make(BINDINGS, binding(*actions, **spec))


async def put(api: Api, name: str = "a", **data: str) -> Reply:
    return await api.ask("POST", MAPS, config_map(name, data=data))


async def test_policy_without_a_binding_says_nothing(api: Api) -> None:
    await api.make(POLICIES, policy(SIZE))
    assert (await put(api, x="1", y="2")).status == 201


async def test_denial_carries_message_reason_and_cause(api: Api) -> None:
    await bind(api, policy(SIZE))
    assert (await put(api, x="1")).status == 201
    refused = await put(api, "b", x="1", y="2")
    told = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: too much"
    assert (refused.status, refused.reason) == (422, "Invalid")
    assert refused.message == f'configmaps "b" is forbidden: {told}'
    assert refused.body["details"] == {
        "name": "b",
        "kind": "configmaps",
        "causes": [{"message": told}],
    }


@pytest.mark.parametrize(("reason", "code"), [("Forbidden", 403), ("RequestEntityTooLarge", 413)])
async def test_reason_decides_the_code(api: Api, reason: str, code: int) -> None:
    await bind(api, policy(SIZE | {"reason": reason}))
    refused = await put(api, x="1", y="2")
    assert (refused.status, refused.reason) == (code, reason)


@pytest.mark.parametrize(
    ("validation", "told"),
    [
        ({"expression": "false", "messageExpression": "'has ' + object.metadata.name"}, "has a"),
        ({"expression": "false", "messageExpression": "string(object.zz)", "message": "m"}, "m"),
        ({"expression": "false", "messageExpression": "'two\\nlines'"}, "failed expression: false"),
        ({"expression": " false "}, "failed expression: false"),
        (
            {"expression": "object.zz == 1"},
            "expression 'object.zz == 1' resulted in error: no such key: zz",
        ),
        (
            {"expression": "variables.v == 1"},
            (
                "expression 'variables.v == 1' resulted in error: composited variable \"v\" fails"
                " to evaluate: no such key: zz"
            ),
        ),
    ],
)
async def test_message_of_a_failed_validation(api: Api, validation: Object, told: str) -> None:
    await bind(api, policy(validation, variables=[{"name": "v", "expression": "object.zz"}]))
    assert (await put(api, x="1")).message.endswith(f"denied request: {told}")


async def test_errors_are_let_pass_where_the_policy_says_so(api: Api) -> None:
    await bind(api, policy({"expression": "object.zz == 1"}, failurePolicy="Ignore"))
    assert (await put(api)).status == 201


async def test_warnings_are_told_and_nothing_is_denied(api: Api) -> None:
    await bind(api, policy(SIZE), "Warn")
    made = await put(api, x="1", y="2")
    assert made.status == 201
    assert made.header("Warning") == [
        "299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': too much\""
    ]


async def test_conditions_and_selectors_leave_requests_alone(api: Api) -> None:
    conditions = [{"name": "c", "expression": "request.userInfo.username != 'jane'"}]
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "here"}}}
    await bind(
        api,
        policy({"expression": "false"}, matchConditions=conditions),
        matchResources=selector,
    )
    await api.make("/api/v1/namespaces", obj("Namespace", "there"))
    elsewhere = obj("ConfigMap", "a", namespace="there")
    assert (await api.ask("POST", MAPS.replace("here", "there"), elsewhere)).status == 201
    masters = ("jane", "system:masters")
    assert (await api.ask("POST", MAPS, config_map("b"), user=masters)).status == 201
    assert (await put(api, "c")).status == 422


async def test_deletions_show_the_old_object_alone(api: Api) -> None:
    await put(api, x="1")
    keep = {"expression": "object != null || oldObject.data.x != '1'", "message": "keep it"}
    await bind(api, policy(keep, rules=[rule("configmaps", "DELETE")]))
    assert (await api.ask("DELETE", f"{MAPS}/a")).message.endswith("keep it")


async def test_parameters_are_found_by_name_in_the_namespace_of_the_object(api: Api) -> None:
    limit = {"expression": "object.data.size() <= int(params.data.most)"}
    made = policy(limit, paramKind={"apiVersion": "v1", "kind": "ConfigMap"})
    await put(api, "limits", most="1")
    await bind(api, made, paramRef={"name": "limits", "parameterNotFoundAction": "Deny"})
    assert (await put(api, x="1")).status == 201
    assert (await put(api, "b", x="1", y="2")).status == 422
    await api.ask("DELETE", f"{MAPS}/limits")
    assert (await put(api, "c")).message.endswith(
        "failed to configure binding: no params found for policy binding with `Deny`"
        " parameterNotFoundAction"
    )


async def test_policies_have_no_say_on_policies(api: Api) -> None:
    everything = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["*"],
        "resources": ["*"],
    }
    await bind(api, policy({"expression": "false"}, rules=[everything]))
    assert (await put(api)).status == 422
    assert (await api.ask("DELETE", f"{BINDINGS}/b")).status == 200


async def test_status_follows_the_generation(api: Api) -> None:
    await api.make(POLICIES, policy(SIZE))
    controller = AdmissionPolicies(api.client)
    await controller.reconcile("p")
    seen = (await api.get(f"{POLICIES}/p")).body
    assert seen["status"] == {"observedGeneration": 1, "typeChecking": {}}
    assert controller.watches[0].keys(seen) == []


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("1", "int"),
        ("null", "null_type"),
        ('duration("1s")', "google.protobuf.Duration"),
        ('{"a": [1]}', "map(string, list(int))"),
        ("object", "dyn"),
        ("request.name", "string"),
        ("request.userInfo.groups", "list(string)"),
    ],
)
async def test_expression_of_another_type_is_refused(api: Api, expression: str, found: str) -> None:
    refused = await api.ask("POST", POLICIES, policy({"expression": expression}))
    assert refused.message.endswith(f"must evaluate to bool but got {found}")


async def test_notes_for_the_audit_are_made_of_texts_of_the_request(api: Api) -> None:
    notes = [{"key": "who", "valueExpression": "request.userInfo.username"}]
    assert (await api.ask("POST", POLICIES, policy(auditAnnotations=notes))).status == 201


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("variables.yes", ""),
        ("variables.yes ? variables.yes : variables.yes", ""),
        ("has(variables.yes)", ""),
        ("variables.kind", ""),
        ("variables.text", "must evaluate to bool but got string"),
        ("variables.same", "must evaluate to bool but got string"),
        ("variables.name", "must evaluate to bool but got string"),
        ("variables.list", "must evaluate to bool but got list(int)"),
        ("variables.list[0]", "must evaluate to bool but got int"),
        ("variables.part", "must evaluate to bool but got dyn"),
        (
            "variables.text + 1",
            (
                "compilation failed: ERROR: <input>:1:16: found no matching overload for '_+_'"
                " applied to '(string, int)'\n | variables.text + 1\n | ...............^"
            ),
        ),
    ],
)
async def test_variables_have_the_types_of_their_expressions(
    api: Api, expression: str, why: str
) -> None:
    given = {
        "yes": "1 == 1",
        "text": "'x'",
        "same": "variables.text",
        "name": "request.name",
        "kind": "request.kind.kind == 'ConfigMap'",
        "list": "[1]",
        "part": "object.spec",
    }
    variables = [{"name": name, "expression": value} for name, value in given.items()]
    made = policy({"expression": expression}, variables=variables)
    reply = await api.ask("POST", POLICIES, made)
    if not why:
        assert reply.status == 201
        return
    (cause,) = reply.body["details"]["causes"]
    assert cause["message"].endswith(why)


async def test_variable_that_is_a_condition_decides_alone(api: Api) -> None:
    fits = [{"name": "fits", "expression": "object.data.size() <= 1"}]
    await bind(api, policy({"expression": "variables.fits", "message": "no"}, variables=fits))
    assert (await put(api, x="1")).status == 201
    assert (await put(api, "b", x="1", y="2")).status == 422
