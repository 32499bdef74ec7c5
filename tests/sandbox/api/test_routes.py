"""Paths and methods to what is asked for, as apiserver's RequestInfo reads them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.api.front import access_of
from tutor.sandbox.api.request import Query
from tutor.sandbox.api.routes import Target, parse


def read(method: str, target: str) -> Target:
    path, _, query = target.partition("?")
    return parse(method, path, Query(query))


def told(target: Target) -> dict[str, str]:
    fields = ("group", "version", "namespace", "resource", "name", "subresource", "tail")
    return {name: value for name in fields if (value := getattr(target, name))}


CASES: list[tuple[str, str, str, dict[str, str]]] = [
    ("GET", "/api/v1/pods", "list", {"version": "v1", "resource": "pods"}),
    ("HEAD", "/api/v1/pods", "list", {"version": "v1", "resource": "pods"}),
    ("POST", "/api/v1/pods", "create", {"version": "v1", "resource": "pods"}),
    ("DELETE", "/api/v1/pods", "deletecollection", {"version": "v1", "resource": "pods"}),
    (
        "GET",
        "/api/v1/namespaces/here/pods",
        "list",
        {"version": "v1", "namespace": "here", "resource": "pods"},
    ),
    (
        "GET",
        "/api/v1/namespaces/here/pods/p",
        "get",
        {"version": "v1", "namespace": "here", "resource": "pods", "name": "p"},
    ),
    (
        "PUT",
        "/api/v1/namespaces/here/pods/p/status",
        "update",
        {
            "version": "v1",
            "namespace": "here",
            "resource": "pods",
            "name": "p",
            "subresource": "status",
        },
    ),
    (
        "GET",
        "/api/v1/namespaces/here/services/s:443/proxy/a/b",
        "get",
        {
            "version": "v1",
            "namespace": "here",
            "resource": "services",
            "name": "s:443",
            "subresource": "proxy",
            "tail": "a/b",
        },
    ),
    ("GET", "/api/v1/namespaces", "list", {"version": "v1", "resource": "namespaces"}),
    (
        "GET",
        "/api/v1/namespaces/here",
        "get",
        {"version": "v1", "namespace": "here", "resource": "namespaces", "name": "here"},
    ),
    (
        "PUT",
        "/api/v1/namespaces/here/finalize",
        "update",
        {
            "version": "v1",
            "namespace": "here",
            "resource": "namespaces",
            "name": "here",
            "subresource": "finalize",
        },
    ),
    (
        "PATCH",
        "/apis/apps/v1/namespaces/here/deployments/d/scale",
        "patch",
        {
            "group": "apps",
            "version": "v1",
            "namespace": "here",
            "resource": "deployments",
            "name": "d",
            "subresource": "scale",
        },
    ),
    (
        "GET",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/r",
        "get",
        {
            "group": "rbac.authorization.k8s.io",
            "version": "v1",
            "resource": "clusterroles",
            "name": "r",
        },
    ),
    ("GET", "/api/v1/pods?watch=true", "watch", {"version": "v1", "resource": "pods"}),
    ("GET", "/api/v1/pods?watch=1", "watch", {"version": "v1", "resource": "pods"}),
    ("GET", "/api/v1/pods?watch", "watch", {"version": "v1", "resource": "pods"}),
    ("GET", "/api/v1/pods?watch=yes", "watch", {"version": "v1", "resource": "pods"}),
    ("GET", "/api/v1/pods?watch=False", "list", {"version": "v1", "resource": "pods"}),
    ("GET", "/api/v1/pods?watch=0", "list", {"version": "v1", "resource": "pods"}),
    ("GET", "/api/v1/watch/pods", "watch", {"version": "v1", "resource": "pods"}),
    (
        "GET",
        "/api/v1/watch/namespaces/here/pods",
        "watch",
        {"version": "v1", "namespace": "here", "resource": "pods"},
    ),
    ("GET", "/api/v1/pods/", "list", {"version": "v1", "resource": "pods"}),
    ("GET", "//api//v1//pods", "list", {"version": "v1", "resource": "pods"}),
    ("OPTIONS", "/api/v1/pods", "", {"version": "v1", "resource": "pods"}),
]


@pytest.mark.parametrize(("method", "target", "verb", "expected"), CASES)
def test_path_of_a_resource_is_read(
    method: str, target: str, verb: str, expected: dict[str, str]
) -> None:
    found = read(method, target)
    assert found.is_resource
    assert (found.verb, told(found)) == (verb, expected)


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("fieldSelector=metadata.name%3Dp", "p"),
        ("fieldSelector=metadata.name%3D%3Dp&watch=true", "p"),
        ("fieldSelector=spec.nodeName%3Dn,metadata.name%3Dp", "p"),
        ("fieldSelector=metadata.name!%3Dp", ""),
        ("fieldSelector=metadata.name%3Da/b", ""),
        ("fieldSelector=metadata.namespace%3Dp", ""),
        ("", ""),
    ],
)
def test_list_that_selects_one_name_asks_for_rights_on_that(query: str, selected: str) -> None:
    """As `kubectl get -w` does, so that roles with resourceNames are enough."""
    target = read("GET", f"/api/v1/namespaces/here/pods?{query}")
    assert (target.name, target.selected) == ("", selected)
    assert access_of(target).name == selected


@pytest.mark.parametrize(
    "path",
    ["/", "", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/version", "/healthz"],
)
def test_path_of_no_resource_keeps_its_method_as_the_verb(path: str) -> None:
    found = read("GET", path)
    assert not found.is_resource
    assert (found.verb, found.path) == ("get", path)


def test_path_that_ends_after_the_watch_prefix_is_no_resource() -> None:
    assert not read("GET", "/api/v1/watch").is_resource


@pytest.mark.parametrize(
    ("target", "full"), [("/api/v1/pods/p/log", "pods/log"), ("/api/v1/pods/p", "pods")]
)
def test_full_resource_has_the_subresource_after_a_slash(target: str, full: str) -> None:
    assert read("GET", target).full_resource == full


@given(st.text(max_size=60), st.sampled_from(["GET", "POST", "DELETE", "PATCH", "x"]))
def test_any_path_is_read_without_an_error(path: str, method: str) -> None:
    for start in ("", "/api/v1/", "/apis/a/b/"):
        found: Any = read(method, start + path.replace("?", ""))
        assert isinstance(found, Target)
