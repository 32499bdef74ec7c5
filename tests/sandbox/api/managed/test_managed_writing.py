"""Field management on the way of a write: requests in, stored objects out."""

# ruff: noqa: ARG002 - fakes take what the protocols give

import json
from datetime import datetime
from urllib.parse import urlencode

import pytest
from managed_world import NOW, World, fields, owners

from tutor.sandbox.api.component_statuses import ComponentStatuses
from tutor.sandbox.api.objects import Objects
from tutor.sandbox.api.rbac import Attributes, Decision
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.request import Call, Request, Response, User
from tutor.sandbox.api.resources import Resources
from tutor.sandbox.api.routes import parse
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.api.subresources import Subresources
from tutor.sandbox.kinds import Object
from tutor.sandbox.store import Past, Store

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
MAPS = "/api/v1/namespaces/default/configmaps"


class FakeMachine:
    def __init__(self) -> None:
        self.uids = 0

    def now(self) -> datetime:
        return NOW

    def uid(self) -> str:
        self.uids += 1
        return f"00000000-0000-0000-0000-{self.uids:012}"

    def suffix(self, length: int) -> str:
        return "x" * length

    def append(self, past: Past) -> None:
        pass

    async def durable(self, revision: int) -> None:
        pass


class NoAdmission:
    async def mutate(
        self, call: Call, served: Served, operation: str, new: Object, old: Object | None
    ) -> Object:
        return new

    async def validate(
        self, call: Call, served: Served, operation: str, new: Object | None, old: Object | None
    ) -> None:
        pass


class NoAllocation:
    def allocate(
        self, served: Served, new: Object, old: Object | None, *, dry_run: bool = False
    ) -> None:
        pass


class NoReviews:
    def answers(self, served: Served) -> bool:
        return False

    def review_of(self, call: Call, served: Served, namespace: str, obj: Object) -> Object | None:
        return None


class Server:
    """The road from a request to the store, for a user who may create or may not."""

    def __init__(self) -> None:
        world = World("sea.io/v1", "boats")
        self.may_create = True
        self.store = Store()
        objects = Objects(self.store, FakeMachine(), NoAdmission(), world.tracking, NoAllocation())
        reviews = NoReviews()
        below = Subresources(world.registry, objects, reviews, reviews)  # pyright: ignore[reportArgumentType] - neither is asked
        self._resources = Resources(
            world.registry, objects, below, self._decide, ComponentStatuses(whole=False)
        )

    def _decide(self, user: User, access: Attributes) -> Decision:
        return Decision(allowed=self.may_create or access.verb != "create")

    async def send(
        self, method: str, path: str, body: object, media: str = "application/json", **query: str
    ) -> Object:
        text = body if isinstance(body, str) else json.dumps(body)
        target = f"{path}?{urlencode(query)}"
        headers = [("content-type", media), ("user-agent", "curl/8.0")]
        request = Request(
            method=method, target=target, headers=headers, body=text.encode(), received=NOW
        )
        place = parse(method, path, request.query)
        answer = await self._resources.handle(request, place, User(name="jane"))
        assert isinstance(answer, Response)
        return json.loads(answer.body) | {"status code": answer.status}

    async def apply(self, path: str, body: object, manager: str = "one", **query: str) -> Object:
        return await self.send("PATCH", path, body, APPLY, fieldManager=manager, **query)


def config(**data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


async def test_applying_creates_once_and_the_same_again_is_no_write():
    server = Server()

    first = await server.apply(f"{MAPS}/a", config(k="v"))
    again = await server.apply(f"{MAPS}/a", config(k="v"))

    assert (first.pop("status code"), again.pop("status code")) == (201, 200)
    assert again == first
    assert server.store.revision == 1


async def test_a_dry_run_applies_to_nothing():
    server = Server()

    made = await server.apply(f"{MAPS}/a", config(k="v"), dryRun="All")

    assert owners(made) == {"one Apply": fields("{data: {k}}")}
    assert server.store.revision == 0


async def test_a_write_without_a_manager_is_the_user_agents():
    made = await Server().send("POST", MAPS, config(k="v"))

    assert owners(made) == {"curl Update": fields("{data: {., k}}")}


@pytest.mark.parametrize("empty", [[], [{}]])
async def test_an_empty_list_of_entries_forgets_all_owners(empty: list[Object]):
    server = Server()
    await server.apply(f"{MAPS}/a", config(k="v"))

    made = await server.send("PATCH", f"{MAPS}/a", {"metadata": {"managedFields": empty}}, MERGE)

    assert "managedFields" not in made["metadata"]


async def test_an_apply_that_would_create_needs_the_right_to():
    server = Server()
    server.may_create = False

    with pytest.raises(ApiError) as error:
        await server.apply(f"{MAPS}/a", config(k="v"))

    assert error.value.code == 403
    assert error.value.message == (
        'configmaps "a" is forbidden: User "jane" cannot create resource "configmaps"'
        ' in API group "" in the namespace "default"'
    )


async def test_a_subresource_does_not_create():
    path = "/apis/sea.io/v1/namespaces/default/boats/a/status"

    with pytest.raises(ApiError) as error:
        await Server().apply(path, {"apiVersion": "sea.io/v1", "kind": "Boat"})

    assert error.value.message == 'boats.sea.io "a" not found'


async def test_applying_a_scale_answers_with_the_scale():
    server, path = Server(), "/apis/sea.io/v1/namespaces/default/boats/a"
    boat = {"apiVersion": "sea.io/v1", "kind": "Boat", "metadata": {"name": "a"}}
    await server.apply(path, boat | {"spec": {"crew": 1}})
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 3}}

    answer = await server.apply(f"{path}/scale", scale, "two", force="true")

    assert (answer["kind"], answer["spec"]) == ("Scale", {"replicas": 3})
    stored = await server.send("GET", path, "")
    assert owners(stored) == {"two Apply scale": fields("{spec: {crew}}")}


@pytest.mark.parametrize(
    ("metadata", "code", "said"),
    [
        (
            {"name": "a", "uid": "1"},
            409,
            (
                'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided'
                " object specified uid 1, and no existing object was found"
            ),
        ),
        (
            {},
            400,
            "the name of the object (a based on URL) was undeterminable: name must be provided",
        ),
        (
            {"name": "b"},
            400,
            "the name of the object (b) does not match the name on the URL (a)",
        ),
    ],
)
async def test_a_new_object_must_be_the_one_that_the_path_names(
    metadata: Object, code: int, said: str
):
    with pytest.raises(ApiError) as error:
        await Server().apply(f"{MAPS}/a", config() | {"metadata": metadata})

    assert (error.value.code, error.value.message) == (code, said)


async def test_a_configuration_may_name_the_version_that_it_is_meant_for():
    server = Server()
    made = await server.apply(f"{MAPS}/a", config(k="v"))
    body = config(k="w")

    body["metadata"]["resourceVersion"] = "999"
    with pytest.raises(ApiError) as error:
        await server.apply(f"{MAPS}/a", body)
    body["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    made = await server.apply(f"{MAPS}/a", body)

    assert error.value.reason == "Conflict"
    assert made["data"] == {"k": "w"}


@pytest.mark.parametrize(
    ("media", "query", "said"),
    [
        (APPLY, {}, "fieldManager: Required value: is required for apply patch"),
        (
            MERGE,
            {"force": "true"},
            "force: Forbidden: may not be specified for non-apply patch",
        ),
        (
            APPLY,
            {"fieldManager": "m" * 129},
            "fieldManager: Too long: may not be more than 128 bytes",
        ),
    ],
)
async def test_options_of_patches_are_checked(media: str, query: dict[str, str], said: str):
    with pytest.raises(ApiError) as error:
        await Server().send("PATCH", f"{MAPS}/a", "{}", media, **query)

    assert error.value.message == f'PatchOptions.meta.k8s.io "" is invalid: {said}'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "a: b: c",
            (
                "error decoding YAML: error converting YAML to JSON: yaml: mapping values are"
                " not allowed in this context"
            ),
        ),
        (
            "hello",
            (
                "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot"
                " unmarshal string into Go value of type map[string]interface {}"
            ),
        ),
        (
            "kind: ConfigMap\napiVersion: v1\nkind: ConfigMap\n",
            (
                "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal"
                ' errors:\n  line 3: key "kind" already set in map'
            ),
        ),
    ],
)
async def test_bodies_that_are_no_yaml_objects_are_refused(body: str, said: str):
    with pytest.raises(ApiError) as error:
        await Server().apply(f"{MAPS}/a", body, fieldValidation="Strict")

    assert (error.value.code, error.value.message) == (400, said)
