"""Label and field selectors. Messages: the recordings of `get-output`."""

# ruff: noqa: E501 - the messages are kept whole, as recorded

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.api.formats import label_key, label_value
from tutor.sandbox.api.selectable import parse_fields
from tutor.sandbox.api.selectors import label_selector, parse_labels
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.kinds import Kind, Object


def kind(name: str, group: str = "", *, namespaced: bool = True, custom: bool = False) -> Kind:
    return Kind(
        group=group,
        version="v1",
        kind=name,
        plural=name.lower() + "s",
        singular=name.lower(),
        namespaced=namespaced,
        verbs=(),
        custom=custom,
    )


CONFIG_MAP = kind("ConfigMap")
POD = kind("Pod")


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", "abcd"),
        ("role=web", "ab"),
        ("role==web", "ab"),
        ("role in (web, db),env notin (test)", "ac"),
        ("!role", "d"),
        ("role!=web", "cd"),
        ("role", "abc"),
        ("env in ()", ""),
        ("role in (,db)", "c"),
        ("size>2", "c"),
        ("size<2", "a"),
        ("env=", ""),
        (" role = web , env=test", "b"),
        ("in in (in)", ""),
    ],
)
def test_label_selector_when_parsed_selects(text: str, selected: str) -> None:
    objects = {
        "a": {"role": "web", "env": "prod", "size": "1"},
        "b": {"role": "web", "env": "test", "size": "two"},
        "c": {"role": "db", "env": "prod", "size": "3"},
        "d": {},
    }
    selector = parse_labels(text)
    assert "".join(n for n, labels in objects.items() if selector.matches(labels)) == selected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("role in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        (
            "a b",
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
        ),
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!!a", "unable to parse requirement: found '!', expected: identifier"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        (
            "a>b",
            (
                'unable to parse requirement: values[0]: Invalid value: "b": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            ),
        ),
        (
            "-a=b",
            f'unable to parse requirement: <nil>: Invalid value: "-a": {label_key("-a")[0]}',
        ),
        (
            "a=-b",
            f'unable to parse requirement: values[0][a]: Invalid value: "-b": {label_value("-b")[0]}',
        ),
    ],
)
def test_label_selector_when_malformed_says_what_the_server_says(text: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_labels(text)
    assert (caught.value.code, caught.value.message) == (400, message)


@given(st.text(alphabet="ab=!,()<> in-./", max_size=20))
def test_label_selector_when_printed_reads_back_the_same(text: str) -> None:
    try:
        selector = parse_labels(text)
    except ApiError:
        return
    assert parse_labels(str(selector)) == selector


def test_label_selector_object_when_absent_selects_nothing_and_when_empty_everything() -> None:
    labelled: Object = {"metadata": {"labels": {"a": "b"}}}
    assert not label_selector(None)(labelled)
    assert label_selector({})(labelled)
    assert label_selector({"matchLabels": {"a": "b"}})(labelled)


def test_label_selector_object_when_printed_reads_like_a_query() -> None:
    selector = label_selector(
        {
            "matchLabels": {"app": "rs"},
            "matchExpressions": [
                {"key": "tier", "operator": "NotIn", "values": ["z", "b"]},
                {"key": "old", "operator": "DoesNotExist"},
            ],
        }
    )
    assert str(selector) == "app=rs,!old,tier notin (b,z)"


def test_label_selector_object_with_unknown_operator_is_refused() -> None:
    with pytest.raises(ApiError, match='"Like" is not a valid label selector operator'):
        label_selector({"matchExpressions": [{"key": "a", "operator": "Like"}]})


POD_OBJECT: Object = {
    "metadata": {"name": "p1", "namespace": "one"},
    "spec": {"nodeName": "n1", "restartPolicy": "Never"},
    "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]},
}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("metadata.name=p1", True),
        ("metadata.name!=p1", False),
        ("spec.nodeName==n1,status.phase!=Pending", True),
        ("spec.host=n1", True),
        ("spec.hostNetwork=false", True),
        ("status.podIP=10.0.0.1", True),
        ("spec.schedulerName=", True),
        (",,metadata.namespace=one,", True),
    ],
)
def test_field_selector_when_parsed_selects(text: str, selected: bool) -> None:
    assert parse_fields(text, POD)(POD_OBJECT) is selected


@pytest.mark.parametrize(
    ("of", "text", "message"),
    [
        (
            CONFIG_MAP,
            "data.a=b",
            '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (
            kind("Deployment", "apps"),
            "spec.replicas=1",
            (
                '"spec.replicas" is not a known field selector: only "metadata.name", '
                '"metadata.namespace"'
            ),
        ),
        (
            kind("Secret"),
            "type in (Opaque)",
            "invalid selector: 'type in (Opaque)'; can't understand 'type in (Opaque)'",
        ),
        (POD, "spec.image=x", "field label not supported: spec.image"),
        (kind("Job", "batch"), "spec.x=1", 'field label "spec.x" not supported for Job'),
        (
            kind("One", "ex.example.com", custom=True),
            "spec.size=1",
            "field label not supported: spec.size",
        ),
        (POD, "metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        (POD, "metadata.name=a\\b", "invalid field selector: invalid escape sequence: \\b"),
    ],
)
def test_field_selector_when_refused_says_what_the_server_says(
    of: Kind, text: str, message: str
) -> None:
    with pytest.raises(ApiError) as caught:
        parse_fields(text, of)
    assert (caught.value.code, caught.value.message) == (400, message)


def test_field_selector_of_custom_kind_reads_its_selectable_fields() -> None:
    one = kind("One", "ex.example.com", custom=True)
    red: Object = {"metadata": {"name": "r"}, "spec": {"color": "red", "on": True}}
    paths = [".spec.color", ".spec.on"]
    assert parse_fields("spec.color=red,spec.on=true", one, paths)(red)
    assert not parse_fields("spec.color!=red", one, paths)(red)


def test_field_selector_of_cluster_scoped_custom_kind_has_no_namespace() -> None:
    boat = kind("Boat", "ex.example.com", namespaced=False, custom=True)
    with pytest.raises(ApiError, match="not supported: metadata"):
        parse_fields("metadata.namespace=x", boat)


def test_field_selector_value_when_escaped_is_unescaped() -> None:
    selector = parse_fields(r"metadata.name=a\,b\=c\\", POD)
    assert selector.exact("metadata.name") == r"a,b=c" + "\\"
    assert selector.exact("metadata.namespace") is None


def test_field_selector_of_event_reads_both_groups_forms() -> None:
    core: Object = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod"}}
    new: Object = {"metadata": {"name": "e"}, "regarding": {"kind": "Pod"}}
    selector = parse_fields("involvedObject.kind=Pod", kind("Event"))
    assert selector(core)
    assert selector(new)
