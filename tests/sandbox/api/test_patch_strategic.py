"""Strategic merge patch. Orders and messages: recordings of `patch` and `apply/list-merges`."""

from typing import Any

import pytest

from tutor.sandbox.api.patch import strategic
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.table import Node, node_of

# ruff: noqa: E501 - one case a line


def deployment_node() -> Node:
    node = node_of("apps", "v1", "Deployment")
    assert node is not None
    return node


def deployment(**pod: Any) -> Object:
    return {"metadata": {"finalizers": ["a/a", "a/b"]}, "spec": {"template": {"spec": pod}}}


def pod_of(result: Object) -> Object:
    return result["spec"]["template"]["spec"]


ENV = [{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]
ONE: Object = {"name": "one", "image": "i/1", "env": ENV}
TWO: Object = {"name": "two", "image": "i/2"}


def patched(patch: Object, **pod: Any) -> Object:
    found = strategic.apply(
        deployment(**pod), {"spec": {"template": {"spec": patch}}}, deployment_node()
    )
    return pod_of(found)


def names(result: Object) -> list[str]:
    return [container["name"] for container in result["containers"]]


def test_containers_with_a_deletion_and_an_addition_put_the_new_one_first() -> None:
    patch: Object = {"containers": [{"name": "two", "$patch": "delete"}, {"name": "three"}]}
    assert names(patched(patch, containers=[ONE, TWO])) == ["three", "one"]


def test_containers_with_an_element_order_follow_it() -> None:
    patch: Object = {
        "$setElementOrder/containers": [{"name": "one"}, {"name": "three"}],
        "containers": [{"name": "one", "env": [{"name": "A", "$patch": "delete"}]}],
    }
    result = patched(patch, containers=[{"name": "three"}, ONE])
    assert names(result) == ["one", "three"]
    assert result["containers"][0]["env"] == [ENV[1]]


def test_containers_only_the_server_has_stay_before_those_they_stood_before() -> None:
    patch: Object = {
        "$setElementOrder/containers": [{"name": "d"}, {"name": "b"}],
        "containers": [{"name": "d", "image": "new"}],
    }
    live = [{"name": name} for name in "abcd"]
    assert names(patched(patch, containers=live)) == ["a", "c", "d", "b"]


def test_containers_when_merged_keep_fields_and_prepend_what_is_new() -> None:
    patch: Object = {
        "containers": [{"name": "side"}, {"name": "one", "env": [{"name": "C", "value": "3"}]}]
    }
    result = patched(patch, containers=[ONE])
    assert names(result) == ["side", "one"]
    assert result["containers"][1] == ONE | {"env": [{"name": "C", "value": "3"}, *ENV]}


def test_list_with_replace_directive_is_replaced() -> None:
    patch: Object = {"containers": [{"$patch": "replace"}, {"name": "only"}]}
    assert patched(patch, containers=[ONE, TWO]) == {"containers": [{"name": "only"}]}


def test_retained_keys_when_given_drop_the_other_fields() -> None:
    patch: Object = {
        "volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]
    }
    result = patched(patch, volumes=[{"name": "v", "emptyDir": {}}])
    assert result == {"volumes": [{"name": "v", "configMap": {"name": "c"}}]}


def test_object_with_replace_or_delete_directive_is_replaced_or_emptied() -> None:
    patch: Object = {
        "nodeSelector": {"$patch": "replace", "b": "2"},
        "affinity": {"$patch": "delete"},
        "securityContext": {"$patch": "delete", "runAsUser": 1},
    }
    result = patched(patch, nodeSelector={"a": "1"}, affinity={"nodeAffinity": {}})
    assert result == {"nodeSelector": {"b": "2"}, "affinity": {}}


def test_primitive_list_when_merged_or_cut_keeps_each_value_once() -> None:
    node = deployment_node()
    added = strategic.apply(deployment(), {"metadata": {"finalizers": ["a/c", "a/b"]}}, node)
    assert added["metadata"]["finalizers"] == ["a/c", "a/a", "a/b"]
    cut: Object = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/a"]}}
    assert strategic.apply(deployment(), cut, node)["metadata"]["finalizers"] == ["a/b"]


def test_list_without_merge_strategy_is_replaced() -> None:
    patch: Object = {"containers": [{"name": "one", "args": ["c"]}]}
    result = patched(patch, containers=[{"name": "one", "args": ["a", "b"]}])
    assert result["containers"][0]["args"] == ["c"]


def test_null_when_in_a_new_object_is_dropped() -> None:
    assert patched({"dnsConfig": {"nameservers": None, "options": []}}) == {
        "dnsConfig": {"options": []}
    }


def test_document_when_patched_stays_as_it_was() -> None:
    before = deployment(containers=[ONE, TWO])
    patch: Object = {
        "spec": {
            "template": {
                "spec": {"containers": [{"name": "one", "env": [{"name": "A", "value": "z"}]}]}
            }
        }
    }
    strategic.apply(before, patch, deployment_node())
    assert before == deployment(containers=[ONE, TWO])
    assert patch["spec"]["template"]["spec"]["containers"][0]["name"] == "one"


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        (
            {"containers": [{"image": "registry.example/x"}]},
            500,
            "map: map[image:registry.example/x] does not contain declared merge key: name",
        ),
        (
            {"containers": [{"name": "only", "$patch": "explode"}]},
            500,
            "unknown patch type: explode in map: map[$patch:explode name:only]",
        ),
        ({"nodeSelector": {"$patch": "x"}}, 500, "unknown patch type: x in map: map[$patch:x]"),
        ({"$retainKeys": ["a"], "hostNetwork": True}, 400, "invalid patch format of retainKeys"),
        ({"containers": ["x"]}, 500, "list element types are not identical: [[map[name:one]] [x]]"),
        (
            {"containers": [["x"]]},
            500,
            "list element types are not identical: [[map[name:one]] [[x]]]",
        ),
        (
            {"$setElementOrder/nope": []},
            500,
            'unable to find api field in struct PodSpec for the json field "nope"',
        ),
        (
            {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "b"}]},
            500,
            "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
        ),
        (
            {"$setElementOrder/containers": "x"},
            500,
            "expected a []interface {}, but received a string",
        ),
    ],
)
def test_strategic_patch_when_malformed_says_what_the_server_says(
    patch: Object, code: int, message: str
) -> None:
    with pytest.raises(ApiError) as caught:
        patched(patch, containers=[{"name": "one"}], nodeSelector={"a": "b"})
    assert (caught.value.code, caught.value.message) == (code, message)
