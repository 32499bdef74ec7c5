"""FlowSchemas and PriorityLevelConfigurations, by the server's sentences."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, Reply, obj
from tutor.sandbox.controllers import bootstrap_flow
from tutor.sandbox.kinds import Object, name_of

VERSION = "flowcontrol.apiserver.k8s.io/v1"
PATH = f"/apis/{VERSION}"
SINCE = "2026-01-01T00:00:00Z"
MERGE = {"content-type": "application/merge-patch+json"}
RULE = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]}


def schema(name: str = "s", **spec: Any) -> Object:
    whole = {"priorityLevelConfiguration": {"name": "global-default"}}
    return obj("FlowSchema", name, version=VERSION, spec=whole | spec)


def rules(subject: Object, **rule: Any) -> Object:
    return schema(rules=[{"subjects": [subject], "resourceRules": [RULE | rule]}])


def level(**spec: Any) -> Object:
    return obj("PriorityLevelConfiguration", "l", version=VERSION, spec=spec)


async def judged(api: Api, made: Object) -> Reply:
    plural = {"FlowSchema": "flowschemas"}.get(made["kind"], "prioritylevelconfigurations")
    return await api.ask("POST", f"{PATH}/{plural}", made)


async def test_what_is_left_out_is_filled_in(api: Api) -> None:
    made = (await judged(api, schema())).body
    assert made["spec"]["matchingPrecedence"] == 1_000
    assert made["metadata"]["generation"] == 1
    limited: Object = {"limitResponse": {"type": "Queue", "queuing": {}}}
    spec = (await judged(api, level(type="Limited", limited=limited))).body["spec"]["limited"]
    assert (spec["nominalConcurrencyShares"], spec["lendablePercent"]) == (30, 0)
    queuing = {"queues": 64, "handSize": 8, "queueLengthLimit": 50}
    assert spec["limitResponse"]["queuing"] == queuing


JANE = {"kind": "User", "user": {"name": "jane"}}


@pytest.mark.parametrize(
    ("made", "errors"),
    [
        (
            schema(priorityLevelConfiguration={"name": ""}, matchingPrecedence=1),
            {
                "spec.matchingPrecedence": "only the schema named 'exempt' may have",
                "spec.priorityLevelConfiguration.name": "must reference a priority level",
            },
        ),
        (
            rules({"kind": "User", "group": {"name": "g"}}),
            {
                "spec.rules[0].subjects[0].user": "user is required when subject kind is 'User'",
                "spec.rules[0].subjects[0].group": "is forbidden when subject kind is not 'Group'",
            },
        ),
        (
            rules({"kind": "Robot"}),
            {"spec.rules[0].subjects[0].kind": 'values: "Group", "ServiceAccount", "User"'},
        ),
        (
            rules(JANE, verbs=["*", "get"], namespaces=[]),
            {
                "spec.rules[0].resourceRules[0].verbs": "must not specify other verbs",
                "spec.rules[0].resourceRules[0].namespaces": "must supply at least one namespace",
            },
        ),
        (schema(rules=[{"subjects": [JANE]}]), {"spec.rules[0]": "has to be non-empty"}),
        (level(type="Limited"), {"spec.limited": "must not be empty when type is Limited"}),
        (level(type="Exempt"), {"spec.type": "if and only if `name` is 'exempt'"}),
        (
            level(
                type="Limited",
                limited={"limitResponse": {"type": "Queue", "queuing": {"handSize": 11}}},
            ),
            {"spec.limited.limitResponse.queuing.handSize": "should not be greater than 60"},
        ),
    ],
)
async def test_mistakes_are_told_one_by_one(api: Api, made: Object, errors: Object) -> None:
    reply = await judged(api, made)
    assert reply.status == 422, reply.content
    causes = reply.body["details"]["causes"]
    assert [cause["field"] for cause in causes] == list(errors)
    for cause, sentence in zip(causes, errors.values(), strict=True):
        assert sentence in cause["message"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("healthz", "must start with slash"),
        ("/a b", "must not contain white-space"),
        ("/a//b", "must not contain double slash"),
        ("/*/a", "wildcard can only do suffix matching"),
        ("/a*", "wildcard can only do suffix matching"),
    ],
)
async def test_paths_end_in_their_wildcard(api: Api, url: str, why: str) -> None:
    rule = {"verbs": ["get"], "nonResourceURLs": [url]}
    reply = await judged(api, schema(rules=[{"subjects": [JANE], "nonResourceRules": [rule]}]))
    assert reply.message.endswith(f'Invalid value: "{url}": {why}')


async def test_what_every_cluster_starts_with_is_accepted_and_kept_as_it_is(api: Api) -> None:
    made = {(one["kind"], name_of(one)): one for one in bootstrap_flow.objects(SINCE)}
    for one in made.values():
        reply = await judged(api, one)
        assert reply.status == 201, reply.content
    change = {"spec": {"matchingPrecedence": 5}}
    reply = await api.ask("PATCH", f"{PATH}/flowschemas/exempt", change, headers=MERGE)
    assert reply.message.startswith(
        'FlowSchema.flowcontrol.apiserver.k8s.io "exempt" is invalid: spec: Invalid value: '
        '{"PriorityLevelConfiguration":{"Name":"exempt"},"MatchingPrecedence":5,'
        '"DistinguisherMethod":null,"Rules":[{"Subjects":[{"Kind":"Group","User":null,'
    )
    assert reply.message.endswith(": spec of 'exempt' must equal the fixed value")


async def test_of_fixed_levels_only_what_the_exempt_one_says_may_be_changed(api: Api) -> None:
    for one in bootstrap_flow.objects(SINCE):
        await judged(api, one)
    shares = {"nominalConcurrencyShares": 7}
    path = f"{PATH}/prioritylevelconfigurations"
    exempt = {"spec": {"exempt": shares}}
    reply = await api.ask("PATCH", f"{path}/exempt", exempt, headers=MERGE)
    assert reply.status == 200, reply.content
    limited = {"spec": {"limited": shares}}
    reply = await api.ask("PATCH", f"{path}/catch-all", limited, headers=MERGE)
    assert reply.message == (
        'PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io "catch-all" is invalid: spec:'
        ' Invalid value: {"Type":"Limited","Limited":{"NominalConcurrencyShares":7,'
        '"LimitResponse":{"Type":"Reject","Queuing":null},"LendablePercent":0,'
        '"BorrowingLimitPercent":null},"Exempt":null}: spec of \'catch-all\' must equal the fixed'
        " value"
    )
    reply = await api.ask("PATCH", f"{path}/exempt", {"spec": {"type": "Limited"}}, headers=MERGE)
    assert "spec of 'exempt' except the 'spec.exempt' field must equal" in reply.message
