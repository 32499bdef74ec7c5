from tests.fakes.world import Stage
from tutor.course.model import Grants
from tutor.probes.base import Absent, Blind, Collection, Object, Seen
from tutor.probes.grants import limited
from tutor.probes.sources import object as one
from tutor.probes.sources import objects as many

SECRETS = Collection("v1", "Secret", "demo")


def secret(name: str, **labels: str) -> Object:
    metadata = {"name": name, "namespace": "demo", "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}


def follow(stage: Stage) -> None:
    stage.cluster.follow(SECRETS, lambda: None)


ONE = {"apiVersion": "v1", "kind": "Secret", "namespace": "demo", "name": "greeting"}
MANY = {"apiVersion": "v1", "kind": "Secret", "namespace": "demo"}


async def test_object_is_given_as_the_api_spells_it(stage: Stage) -> None:
    follow(stage)
    stage.cluster.put(SECRETS, secret("other"), secret("greeting", a="b"))
    reading = await one.read(one.Spec.model_validate(ONE), stage.world, {})
    assert reading == Seen(secret("greeting", a="b"), "the Secret greeting")


async def test_object_that_is_not_there_is_not_yet_or_null(stage: Stage) -> None:
    follow(stage)
    assert await one.read(one.Spec.model_validate(ONE), stage.world, {}) == Absent(
        "there is no Secret greeting in the namespace demo yet"
    )
    optional = one.Spec.model_validate({**ONE, "optional": True})
    assert await one.read(optional, stage.world, {}) == Seen(None, "the Secret greeting")


async def test_objects_are_sorted_and_chosen_by_their_labels(stage: Stage) -> None:
    follow(stage)
    stage.cluster.put(SECRETS, secret("b", x="1"), secret("a", x="1", y="2"), secret("c"))
    spec = many.Spec.model_validate({**MANY, "labels": {"x": "1"}})
    reading = await many.read(spec, stage.world, {})
    assert isinstance(reading, Seen)
    assert [each["metadata"]["name"] for each in reading.value] == ["a", "b"]


async def test_unreachable_cluster_is_blind_even_when_optional(stage: Stage) -> None:
    follow(stage)
    stage.cluster.say(SECRETS, Blind("the API server does not answer"))
    for source, spec in ((one, {**ONE, "optional": True}), (many, {**MANY, "optional": True})):
        reading = await source.read(source.Spec.model_validate(spec), stage.world, {})  # type: ignore[arg-type]
        assert reading == Blind("the API server does not answer")


async def test_kind_that_is_not_served_is_an_empty_list_when_optional(stage: Stage) -> None:
    follow(stage)
    stage.cluster.say(SECRETS, Absent("the cluster does not know the kind Secret yet"))
    assert isinstance(await many.read(many.Spec.model_validate(MANY), stage.world, {}), Absent)
    reading = await many.read(many.Spec.model_validate({**MANY, "optional": True}), stage.world, {})
    assert isinstance(reading, Seen)
    assert reading.value == []


async def test_objects_outside_the_grants_are_neither_followed_nor_read(stage: Stage) -> None:
    world = limited(stage.world, Grants(namespaces=("demo",)))
    for namespace in ("kube-system", None):
        collection = Collection("v1", "Secret", namespace)
        world.cluster.follow(collection, lambda: None)
        spec = one.Spec.model_validate({**ONE, "namespace": namespace})
        assert isinstance(await one.read(spec, world, {}), Blind)
    assert stage.cluster.followers == {}
    everywhere = limited(stage.world, Grants(cluster=True))
    everywhere.cluster.follow(Collection("v1", "Secret", None), lambda: None)
    assert list(stage.cluster.followers) == [Collection("v1", "Secret", None)]
