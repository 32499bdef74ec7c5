"""Every message here was answered by Kubernetes 1.36's own readers, given the same text."""

import json
from typing import Any

import pytest

from tutor.sandbox.schema.decode import UnrecognizedError, decode, encode, parse, parse_yaml

PREFIX = "couldn't get version/kind; json parse error: "
META = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "unexpected end of JSON input"),
        ('{"a', "unexpected end of JSON input"),
        ('{"a":[1', "unexpected end of JSON input"),
        ('{"metadata":{"name":"a"', "unexpected end of JSON input"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        ('{"a":[1 2]}', "invalid character '2' after array element"),
        ('{"a":01}', "invalid character '1' after object key:value pair"),
        ('{"a":1.}', "invalid character '}' after decimal point in numeric literal"),
        ('{"a":1.5e}', "invalid character '}' in exponent of numeric literal"),
        ('{"a":-}', "invalid character '}' in numeric literal"),
        ('{"a":-Infinity}', "invalid character 'I' in numeric literal"),
        ('{"a":NaN}', "invalid character 'N' looking for beginning of value"),
        ('{"a":tru}', "invalid character '}' in literal true (expecting 'e')"),
        ('{"a":"\\x"}', "invalid character 'x' in string escape code"),
        ('{"a":"\\u12g4"}', "invalid character 'g' in \\u hexadecimal character escape"),
        ('{"a":"\n"}', "invalid character '\\n' in string literal"),
        ("{} {}", "invalid character '{' after top-level value"),
        ("\ufeff{}", "invalid character 'ï' looking for beginning of value"),
        ("{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        ("[]", f"json: cannot unmarshal array into Go value of type {META}"),
        ("5", f"json: cannot unmarshal number into Go value of type {META}"),
        ('{"kind":5}', "json: cannot unmarshal number into Go struct field .kind of type string"),
    ],
)
def test_what_is_no_object_is_told_as_go_tells_it(body: str, message: str) -> None:
    with pytest.raises(UnrecognizedError) as caught:
        parse(body.encode())
    assert str(caught.value) == PREFIX + message


def test_group_versions_have_one_slash_at_most() -> None:
    with pytest.raises(UnrecognizedError, match=r"^unexpected GroupVersion string: a/b/c$"):
        parse(b'{"apiVersion":"a/b/c"}')


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(UnrecognizedError, match="exceeded max depth"):
        parse(b'{"a":' + b"[" * 200_000)


def test_kind_is_looked_for_without_case_and_may_be_missing() -> None:
    assert parse(b'{"KIND":"A","apiversion":"v1"}').kind == "A"
    assert parse(b"null").value == {}
    assert parse(b'{"kind":null}').kind == ""


def test_repeated_members_are_named_by_path_in_order() -> None:
    parsed = parse(b'{"a":{"b":1,"b":2},"c":[{"d":1},{"d":1,"d":2,"d":3}],"a":{}}')
    assert parsed.duplicates == (
        'duplicate field "a.b"',
        'duplicate field "c[1].d"',
        'duplicate field "a"',
    )
    assert parsed.value == {"a": {}, "c": [{"d": 1}, {"d": 3}]}


def test_text_is_made_whole() -> None:
    assert parse(b'{"a":"\\ud800x","b":"\xff\xfe","c":"\\ud83d\\ude00"}').value == {
        "a": "\ufffdx",
        "b": "\ufffd\ufffd",
        "c": "\U0001f600",
    }


def test_integers_beyond_64_bits_are_kept_as_numbers() -> None:
    value = parse(b'{"a":9223372036854775807,"b":9223372036854775808}').value
    assert value["a"] == 2**63 - 1
    assert isinstance(value["b"], float)


def yaml_object(text: str) -> Any:
    parsed = parse_yaml(text.encode())
    done = decode("", "v1", "ConfigMap", parsed.value)
    return done.object, parsed.preface + done.unknown


def test_yaml_tells_repeated_keys_before_unknown_fields_which_it_sorts() -> None:
    text = "metadata:\n  name: a\n  name: b\ndata:\n  a: x\n  a: x\nfoo: 1\nbar: 2\n"
    assert yaml_object(text)[1] == (
        (
            'yaml: unmarshal errors:\n  line 3: key "name" already set in map\n'
            '  line 6: key "a" already set in map'
        ),
        'unknown field "bar"',
        'unknown field "foo"',
    )


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("data: {y: a, 0x10: b, 010: c}", {"16": "b", "8": "c", "true": "a"}),
        ("x: &d {a: b}\ndata:\n  <<: *d\n  c: d", {"a": "b", "c": "d"}),
        ("x: &d {a: b}\ndata: *d", {"a": "b"}),
        ("data: {a: 1:30, b: '08', c: !!str 5, d: 2020-01-01}",
         {"a": "1:30", "b": "08", "c": "5", "d": "2020-01-01"}),
        ('{"data":{"a":"b"}}', {"a": "b"}),
    ],
)  # fmt: skip
def test_yaml_is_read_as_gos_library_reads_it(text: str, data: Any) -> None:
    assert yaml_object(text)[0]["data"] == data


def test_yaml_numbers_are_numbers() -> None:
    text = "metadata: {generation: 1_000, labels: {}}\nimmutable: on\n"
    assert yaml_object(text)[0] == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"generation": 1000},
        "immutable": True,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b\n c: d\n", "yaml: line 2: mapping values are not allowed in this context"),
        ("a: *x\n", "yaml: unknown anchor 'x' referenced"),
        ("a: &x [*x]\n", "yaml: anchor 'x' value contains itself"),
        ("a:\n\t- b\n", "yaml: line 2: found character that cannot start any token"),
        ("metadata: {generation: .inf}\n", "json: unsupported value: +Inf"),
        ("- a\n", f"{PREFIX}json: cannot unmarshal array into Go value of type {META}"),
    ],
)
def test_bad_yaml_is_told_as_gos_library_tells_it(text: str, message: str) -> None:
    with pytest.raises(UnrecognizedError) as caught:
        parse_yaml(text.encode())
    assert str(caught.value) == message


def test_yaml_that_explodes_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(UnrecognizedError, match="excessive aliasing"):
        parse_yaml("\n".join(lines).encode())


def test_empty_yaml_is_an_empty_object() -> None:
    assert parse_yaml(b"# nothing\n").value == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": "<&>\u2028\u2029é\x7f\x01\b"},
         '{"b":1,"a":"\\u003c\\u0026\\u003e\\u2028\\u2029é\x7f\\u0001\\b"}'),
        ([1.0, 1.5, 1e20, 1e21, 1e-6, 1e-7, 0.00001, 123456789012345680000.0],
         "[1,1.5,100000000000000000000,1e+21,0.000001,1e-7,0.00001,123456789012345680000]"),
        ({"a": 1e-7}, '{"a":1e-7}'),
        ({"a": [2.0]}, '{"a":[2]}'),
        ({"a": "x:1.0,", "b": None, "c": True}, '{"a":"x:1.0,","b":null,"c":true}'),
    ],
)  # fmt: skip
def test_objects_are_written_as_go_writes_them(value: Any, text: str) -> None:
    assert encode(value).decode() == text


def test_custom_objects_are_written_with_sorted_members() -> None:
    value = {"b": [{"d": 1.0, "c": 2}], "a": 1}
    assert encode(value, sort_keys=True) == b'{"a":1,"b":[{"c":2,"d":1}]}'
    assert json.loads(encode(value)) == value
