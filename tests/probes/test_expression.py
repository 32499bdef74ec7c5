"""Source: our own 47 assertions on Kubernetes objects; a failure is told in words."""

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.probes.base import Absent, Blind, Seen
from tutor.probes.expression import (
    Answer,
    Expression,
    ExpressionError,
    Failed,
    Language,
    Missing,
    Value,
)

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web",
        "namespace": "default",
        "generation": 3,
        "creationTimestamp": "2026-03-01T10:00:00Z",
        "labels": {"app": "web", "app.kubernetes.io/name": "web", "tier": "front"},
        "annotations": {"cert-manager.io/issuer": "ca", "size": "3"},
    },
    "spec": {
        "replicas": 2,
        "containers": [
            {
                "name": "c",
                "image": "docker.io/nginx:1.27",
                "ports": [{"containerPort": 8080}, {"containerPort": 9090}],
            },
            {"name": "side", "image": "ghcr.io/x/y:2"},
        ],
        "host": "a-1.lab.test",
        "cpu": "1500m",
    },
    "status": {
        "observedGeneration": 3,
        "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-01T10:05:00Z"},
            {"type": "Issuing", "status": "False"},
        ],
        "nothing": None,
    },
}
NAMES: dict[str, tuple[Any, str]] = {
    "obj": (POD, "the Pod web"),
    "secret": (
        {
            "kind": "Secret",
            "metadata": {"name": "tls"},
            "data": {"tls.crt": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==", "ca.crt": "eA=="},
        },
        "the Secret tls",
    ),
    "cert": (
        {
            "status": {
                "notBefore": "2026-01-01T00:00:00Z",
                "notAfter": "2026-04-01T00:00:00Z",
                "revision": 1,
            },
            "spec": {
                "subject": {"organizations": ["devs", "lab-admins"]},
                "duration": "2160h",
            },
        },
        "the Certificate cert",
    ),
    "lst": (
        {
            "items": [
                {"metadata": {"name": "a"}, "ok": True},
                {"metadata": {"name": "b"}, "ok": False},
            ]
        },
        "the list",
    ),
    "groups": (["devs", "system:authenticated"], "your groups"),
    "pods": ([POD], "the Pods of default"),
}

LANGUAGE = Language([*NAMES, "gone", "dark"])
VALUES = LANGUAGE.values(
    {
        **{name: Seen(value, noun) for name, (value, noun) in NAMES.items()},
        "gone": Absent("there is no Secret gone yet"),
        "dark": Blind("the API server does not answer"),
    }
)


def answer(text: str) -> Answer:
    return LANGUAGE.compile(text).evaluate(VALUES)


TRUE = [
    'obj.metadata.name == "web"',
    'has(obj.metadata.labels) && obj.metadata.labels.app == "web"',
    "!has(obj.metadata.deletionTimestamp)",
    'obj.status.conditions.exists(c, c.type == "Ready" && c.status == "True")',
    'obj.status.conditions.all(c, c.type != "Issuing" || c.status == "False")',
    "obj.spec.containers.size() == 2",
    "size(obj.spec.containers) == 2",
    'obj.spec.containers.map(c, c.image).filter(i, i.startsWith("docker.io/")).size() == 1',
    "obj.spec.containers[0].ports.exists_one(p, p.containerPort == 8080)",
    'obj.metadata.annotations["cert-manager.io/issuer"] == "ca"',
    '"app" in obj.metadata.labels',
    '!("system:masters" in groups)',
    'string(base64.decode(secret.data["tls.crt"])).contains("BEGIN CERTIFICATE")',
    r'obj.spec.host.matches("^[a-z0-9-]+\\.lab\\.test$")',
    'obj.spec.host.matches("lab")',
    'obj.metadata.name.matches("(?i)^WEB$")',
    "obj.metadata.generation == obj.status.observedGeneration",
    'obj.?status.?phase.orValue("none") == "none"',
    'obj.metadata.?labels[?"nope"].hasValue() == false',
    "obj.spec.replicas > 1 && obj.spec.replicas <= 5",
    "obj.spec.replicas == 2.0",
    "obj.spec.replicas < 2.5",
    'timestamp(obj.metadata.creationTimestamp) < timestamp("2030-01-01T00:00:00Z")',
    'timestamp(cert.status.notAfter) - timestamp(cert.status.notBefore) == duration("2160h")',
    'duration(cert.spec.duration) > duration("90m")',
    'duration("90m").getMinutes() == 90',
    'lst.items.map(i, i.metadata.name) == ["a", "b"]',
    'lst.items.map(i, i.ok, i.metadata.name) == ["a"]',
    'cert.spec.subject.organizations.exists(o, o.endsWith("admins"))',
    "obj.spec.missing == 1 || true",
    "obj.metadata.labels.all(k, size(k) < 64)",
    "int(obj.metadata.annotations.size) == 3",
    '"a,b,c".split(",").size() == 3',
    'obj.metadata.name.upperAscii() == "WEB"',
    "cel.bind(n, obj.spec.containers.size(), n > 1 && n < 3)",
    '"%s/%d".format([obj.metadata.name, obj.spec.replicas]) == "web/2"',
    '"größe".size() == 5',
    'sets.contains(groups, ["devs"])',
    'quantity(obj.spec.cpu).isGreaterThan(quantity("1"))',
    'quantity("2Gi").compareTo(quantity("2048Mi")) == 0',
    'quantity("1m").isLessThan(quantity("1"))',
]
FALSE = [
    "obj.spec.missing == 1 && false",
    'has(obj.spec.tls) ? obj.spec.tls[0].secretName == "x" : false',
]


@pytest.mark.parametrize("text", TRUE)
def test_expression_that_holds_is_true(text: str) -> None:
    assert answer(text) == Value(True)


@pytest.mark.parametrize("text", FALSE)
def test_expression_that_does_not_hold_is_false(text: str) -> None:
    assert answer(text) == Value(False)


MISSING = {
    "obj.spec.missing == 1": "the Pod web has no spec.missing yet",
    'obj.spec.nope.deeper.still == "x"': "the Pod web has no spec.nope yet",
    "obj.status.nothing.x == 1": "the Pod web has no status.nothing.x yet",
    "has(obj.status.nothing.x)": "the Pod web has no status.nothing.x yet",
    'obj.spec.containers[9].name == "x"': (
        "spec.containers of the Pod web has 2 items, and no [9] yet"
    ),
    'secret.data["tls.key"] == ""': 'the Secret tls has no data["tls.key"] yet',
    "obj.status.conditions.exists(c, c.foo == 1)": (
        "the Pod web has no status.conditions[0].foo yet"
    ),
    "pods.exists(p, p.status.phase == 'Running')": "the Pod web has no status.phase yet",
    "has(obj.spec.tls) && obj.spec.tls.a == 1 || obj.zork.a == 1": "the Pod web has no zork yet",
    "cel.bind(n, obj.spec.containers, n.exists(c, c.q == 1))": (
        "the Pod web has no spec.containers[0].q yet"
    ),
    'yaml("a: 1").b == 2': '`yaml("a: 1")` has no b yet',
    "gone.data.x == 1": "there is no Secret gone yet",
    'x509(pem(obj.spec.host)).subject == ""': (
        'spec.host of the Pod web: "a-1.lab.test" is not base64'
    ),
    'x509(pem(secret.data["tls.crt"])).subject == ""': (
        '`pem(secret.data["tls.crt"])`: "-----BEGIN CERTIFICATE--…": '
        "that is not a certificate in PEM form"
    ),
    "bcrypt_matches(obj.spec.host, 'x')": (
        'spec.host of the Pod web: "a-1.lab.test" is not a bcrypt hash'
    ),
    "json(obj.spec.host).a == 1": (
        "spec.host of the Pod web: the text is not JSON: Expecting value (line 1)"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), MISSING.items())
def test_what_is_missing_is_named(text: str, words: str) -> None:
    assert answer(text) == Missing(words)


FAILED = {
    "obj.metadata.name > 1": "no matching overloads found : _>_(string, int64)",
    "obj.metadata.name && true": "no matching overloads found : _&&_",
    "obj.metadata.name.first == 1": "applying SELECT to non-message type",
    'int("x") == 1': "cannot convert string to int",
    "1 / (obj.spec.replicas - 2) == 1": "divide by zero",
    "dark.x == 1": "the API server does not answer",
}


@pytest.mark.parametrize(("text", "words"), FAILED.items())
def test_expression_that_cannot_be_evaluated_says_why(text: str, words: str) -> None:
    got = answer(text)
    assert isinstance(got, Failed)
    assert words in got.text


WHY = {
    'obj.metadata.name == "x"': 'metadata.name of the Pod web is "web", not "x"',
    '"x" == obj.metadata.name': 'metadata.name of the Pod web is "web", not "x"',
    "3 < obj.spec.replicas": "spec.replicas of the Pod web is 2, not > 3",
    "obj.metadata.name == obj.spec.host": (
        'metadata.name of the Pod web is "web", and spec.host of the Pod web is "a-1.lab.test"'
    ),
    "obj.metadata.name != obj.metadata.labels.app": (
        'metadata.name of the Pod web is "web", the same as metadata.labels.app of the Pod web'
    ),
    'obj.spec.replicas == 2 && obj.spec.cpu == "1"': 'spec.cpu of the Pod web is "1500m", not "1"',
    'obj.status.conditions.exists(c, c.type == "Ready" && c.status == "False")': (
        'status.conditions[0].status of the Pod web is "True", not "False"'
    ),
    'obj.status.conditions.all(c, c.status == "True")': (
        'status.conditions[1].status of the Pod web is "False", not "True"'
    ),
    "has(obj.spec.foo)": "the Pod web has no spec.foo yet",
    "!has(obj.spec.host)": "spec of the Pod web still has host",
    'obj.spec.host.contains("zz")': (
        'spec.host of the Pod web is "a-1.lab.test", which does not contain "zz"'
    ),
    '!obj.spec.host.contains("lab")': (
        'spec.host of the Pod web is "a-1.lab.test": it should not contain "lab"'
    ),
    '"zz" in groups': 'your groups is ["devs", "system:authenticated"]: "zz" is not among them',
    '!("devs" in groups)': '"devs" is among your groups',
    'obj.spec.cpu == "1" || obj.spec.replicas == 3': (
        'spec.cpu of the Pod web is "1500m", not "1"; and spec.replicas of the Pod web is 2, not 3'
    ),
    "lst.items.size() == 3": "`lst.items.size()` is 2, not 3",
    "lst.items.filter(i, false).exists(i, i.ok)": "`lst.items.filter(i, false)` is empty",
    'obj.metadata.?foo.orValue("no") == "yes"': (
        '`obj.metadata.?foo.orValue("no")` is "no", not "yes"'
    ),
    "has(obj.spec.tls) ? true : obj.spec.replicas == 7": "spec.replicas of the Pod web is 2, not 7",
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WHY.items())
def test_false_expression_says_which_part_and_what_was_seen(text: str, words: str) -> None:
    expression = LANGUAGE.compile(text, wanted="bool")
    assert expression.evaluate(VALUES) == Value(False)
    assert expression.why_false(VALUES) == words


def test_long_texts_that_begin_alike_say_where_they_part() -> None:
    language = Language(["a", "b"])
    same = "LS0tLS1CRUdJTi" * 30
    values = language.values(
        {"a": Seen({"ca": same + "x"}, "the spec"), "b": Seen({"ca": same + "y"}, "the status")}
    )
    told = language.compile("a.ca == b.ca").why_false(values)
    assert told.endswith("they differ from character 421")
    assert "(421 characters)" in told


BAD = {
    "nope == 1": ("unknown name `nope`", 0),
    " obje.metadata == 1": ("unknown name `obje`: did you mean `obj`?", 1),
    'x590("a") == 1': ("unknown function `x590`: did you mean `x509`?", 0),
    'obj.a.startWith("x")': ("unknown function `startWith`: did you mean `startsWith`?", 6),
    "obj.l.exists(k, v, k == v)": ("`exists` is not called like this", 6),
    "obj.a ==": ("the expression ends too early", 8),
    "obj.a\n  && obj.b b": ("`b` was not expected here", 17),
    '"größe" == zork': ("unknown name `zork`", 11),
    "": ("the expression ends too early", 0),
    '"abc': ("a character that has no meaning here, or a quote that does not end", 0),
    '"a" + "b"': ("this gives a text, where true or false is needed", 0),
}


@pytest.mark.parametrize(("text", "fault"), BAD.items())
def test_expression_that_is_wrong_is_refused_with_a_place(
    text: str, fault: tuple[str, int]
) -> None:
    with pytest.raises(ExpressionError) as caught:
        LANGUAGE.compile(text, wanted="bool")
    assert fault in caught.value.faults


def test_names_an_expression_uses_are_told_apart_from_loop_variables() -> None:
    text = "obj.l.exists(groups, groups == secret.x) && lst.items.all(i, i.ok)"
    assert LANGUAGE.compile(text).names == {"obj", "secret", "lst"}


@given(st.text(alphabet="obj.secret()[]\"'!&|=<>?:,0123abc \n", max_size=60))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        assert isinstance(answer(text), Value | Missing | Failed)


def test_five_hundred_probes_are_evaluated_in_little_time() -> None:
    expressions: list[Expression] = [LANGUAGE.compile(text) for text in TRUE]
    began = time.process_time()
    for n in range(500):
        expressions[n % len(expressions)].evaluate(VALUES)
    assert time.process_time() - began < 0.5  # 8 ms here: room for a loaded machine
