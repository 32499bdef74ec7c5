"""Bodies of patch requests. Messages: recordings `patch/*`, `http-patch-*`, `edit/*`."""

import pytest

from tutor.sandbox.api.patch.body import Form, patch
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.table import node_of

# ruff: noqa: E501 - one case a line

CURRENT: Object = {
    "kind": "ConfigMap",
    "apiVersion": "v1",
    "metadata": {"name": "a", "b": 1},
    "data": {"k": "v"},
}


@pytest.mark.parametrize(
    ("form", "lax", "body", "code", "message"),
    [
        ("merge", False, '{"data":', 400, "error decoding patch: unexpected end of JSON input"),
        (
            "merge",
            False,
            "[]",
            400,
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        ("merge", False, "null", 400, "Invalid JSON Patch"),
        ("strategic", False, '{"data":', 400, "unexpected end of JSON input"),
        (
            "json",
            False,
            '{"a": 1}',
            400,
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        ),
        (
            "json",
            True,
            '{"a": 1}',
            400,
            "json: cannot unmarshal object into Go value of type jsonpatch.Patch",
        ),
        (
            "json",
            False,
            '["a"]',
            400,
            "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp",
        ),
        (
            "json",
            False,
            '[{"op":1}]',
            400,
            "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
        ),
        (
            "json",
            False,
            '[{"op":"remove","path":"/data/zzz"}]',
            422,
            "the server rejected our request due to an error in our request",
        ),
        (
            "json",
            False,
            "[" + ",".join(["{}"] * 10001) + "]",
            413,
            "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
        ),
    ],
)
def test_patch_body_when_refused_says_what_the_server_says(
    form: Form, lax: bool, body: str, code: int, message: str
) -> None:
    with pytest.raises(ApiError) as caught:
        patch(CURRENT, body.encode(), form, node_of("", "v1", "ConfigMap"), lax=lax)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_patch_status_when_operations_do_not_fit_has_empty_details() -> None:
    with pytest.raises(ApiError) as caught:
        patch(CURRENT, b'[{"op":"test","path":"/data/k","value":"x"}]', "json", None, lax=False)
    assert caught.value.status()["details"] == {}
    assert caught.value.reason == "Invalid"


def test_patch_of_repeated_and_unknown_fields_complains_unless_lax() -> None:
    merge = b'{"data":{"x":"1","x":"2"}}'
    assert patch(CURRENT, merge, "merge", None, lax=False).strict == ['duplicate field "data.x"']
    assert patch(CURRENT, merge, "merge", None, lax=True).strict == []
    operations = b'[{"op":"add","op":"add","path":"/data/x","value":"1","extra":1}]'
    assert patch(CURRENT, operations, "json", None, lax=False).strict == [
        'json patch unknown field "[0].extra"',
        'json patch duplicate field "[0].op"',
    ]


def test_rejected_merge_patch_quotes_the_result_sorted_where_it_was_patched() -> None:
    patched = patch(CURRENT, b'{"kind":"Secret","data":{"a":"<"}}', "merge", None, lax=False)
    error = patched.reject("illegal base64 data at input byte 0")
    assert error.message == (
        r' "" is invalid: patch: Invalid value: "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"\\u003c\",\"k\":\"v\"},'
        r'\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\",\"b\":1}}": illegal base64 data at input byte 0'
    )
    assert error.details == {
        "causes": [
            {
                "reason": "FieldValueInvalid",
                "message": error.message.removeprefix(' "" is invalid: patch: '),
                "field": "patch",
            }
        ]
    }


def test_rejected_strategic_patch_quotes_the_patch_as_go_prints_it() -> None:
    body = b'{"dat":{"k":"v"},"data":null}'
    patched = patch(CURRENT, body, "strategic", node_of("", "v1", "ConfigMap"), lax=False)
    assert patched.object == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "a", "b": 1},
        "dat": {"k": "v"},
    }
    assert patched.shown == "map[dat:map[k:v] data:<nil>]"


def test_null_strategic_patch_changes_nothing() -> None:
    assert (
        patch(CURRENT, b"null", "strategic", node_of("", "v1", "ConfigMap"), lax=False).object
        == CURRENT
    )
