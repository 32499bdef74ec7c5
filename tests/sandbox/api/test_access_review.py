"""Questions about rights that make no sense.

Source: Kubernetes' `apis/authorization/validation`.
"""

from typing import Any

import pytest

from tests.fakes.cluster import Api
from tutor.sandbox.api.access_review import errors_of, unread_selectors
from tutor.sandbox.kinds import Object

AUTHORIZATION = "/apis/authorization.k8s.io/v1"
PODS = {"verb": "get", "resource": "pods", "namespace": "here"}
PATH = {"path": "/x", "verb": "get"}


def review(
    kind: str = "SubjectAccessReview", *, metadata: Object | None = None, **spec: Any
) -> Object:
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": kind,
        "metadata": metadata or {},
        "spec": spec,
    }


def told(obj: Object, *, names_user: bool = True, local: bool = False) -> list[str]:
    return [str(error) for error in errors_of(obj, names_user=names_user, local=local)]


def test_review_about_a_resource_or_a_path_is_in_order() -> None:
    assert told(review(user="a", resourceAttributes=PODS)) == []
    assert told(review(groups=["g"], nonResourceAttributes=PATH)) == []
    assert told(review(resourceAttributes=PODS), names_user=False) == []


def test_review_about_both_or_neither_is_refused() -> None:
    both = review(resourceAttributes=PODS, nonResourceAttributes=PATH)
    assert told(both) == [
        (
            'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":"get"}: cannot be'
            " specified in combination with resourceAttributes"
        ),
        'spec.user: Invalid value: "": at least one of user or group must be specified',
    ]
    assert told(review(user="a")) == [
        (
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or"
            " resourceAttributes must be specified"
        )
    ]


def test_review_with_metadata_is_refused_and_a_local_one_may_name_its_namespace() -> None:
    named = review(user="a", resourceAttributes=PODS, metadata={"name": "n", "managedFields": [1]})
    assert [error.partition(": Invalid")[0] for error in told(named)] == ["metadata"]
    there = review(user="a", resourceAttributes=PODS, metadata={"namespace": "here"})
    assert told(there, local=True) == []
    elsewhere = review(user="a", resourceAttributes=PODS, metadata={"namespace": "there"})
    assert told(elsewhere, local=True) == [
        'spec.resourceAttributes.namespace: Invalid value: "here": must match metadata.namespace'
    ]
    path = review(user="a", nonResourceAttributes=PATH)
    assert told(path, local=True)[0].endswith("disallowed on this kind of request")


def test_selector_of_a_review_is_one_of_text_and_requirements() -> None:
    def selecting(**selector: Any) -> list[str]:
        return told(review(user="a", resourceAttributes=PODS | {"fieldSelector": selector}))

    at = "spec.resourceAttributes.fieldSelector"
    assert selecting(rawSelector="a=b") == []
    assert selecting() == [
        (
            f"{at}.requirements: Required value: when {at} is specified, requirements or"
            " rawSelector is required"
        )
    ]
    assert selecting(requirements=[{"operator": "In"}]) == [
        f"{at}.requirements[0].key: Required value: must be specified",
        (
            f"{at}.requirements[0].values: Required value: must be specified when `operator` is"
            " 'In' or 'NotIn'"
        ),
    ]


@pytest.mark.parametrize(
    ("selector", "told_of"),
    [
        ({"rawSelector": "a=b"}, ""),
        ({"rawSelector": "a in"}, "ignored"),
        (
            {"requirements": [{"key": "a", "operator": "Exists"}, {"key": "a", "operator": "!"}]},
            "partially ignored",
        ),
    ],
)
def test_selector_that_cannot_be_read_is_told_of(selector: Object, told_of: str) -> None:
    spec = {"resourceAttributes": PODS | {"labelSelector": selector}}
    expected = f"spec.resourceAttributes.labelSelector {told_of} due to parse error"
    assert unread_selectors(spec) == (expected if told_of else "")


async def test_refusal_of_a_review_names_no_kind(api: Api) -> None:
    refused = await api.ask("POST", f"{AUTHORIZATION}/subjectaccessreviews", review(user="a"))
    assert refused.status == 422
    assert refused.message.startswith('.authorization.k8s.io "" is invalid: spec.resourceAttr')
    assert "kind" not in refused.body["details"]


async def test_local_review_is_asked_in_its_namespace(api: Api) -> None:
    path = f"{AUTHORIZATION}/namespaces/here/localsubjectaccessreviews"
    asked = review("LocalSubjectAccessReview", user="a", resourceAttributes=PODS)
    answered = await api.ask("POST", path, asked)
    assert answered.body["status"] == {"allowed": False}
