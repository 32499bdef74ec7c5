"""The mutating half of the webhook. Source: cert-manager.md 2.5 and the decode errors of 2.6."""

import base64
import json
from typing import Any

import pytest

from tutor.sandbox.api.patch import operations
from tutor.sandbox.components.certmanager.review import mutate
from tutor.sandbox.components.certmanager.shape import Undecodable, recode
from tutor.sandbox.components.certmanager.structs import STRUCTS
from tutor.sandbox.kinds import Object


def _object(kind: str, spec: Any) -> Object:
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": kind,
        "metadata": {"name": "x", "namespace": "y"},
        "spec": spec,
    }


def _recoded(kind: str, spec: Any) -> Any:
    return recode(_object(kind, spec), STRUCTS[kind])["spec"]


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        (
            "Certificate",
            {"duration": "2160h", "renewBefore": "360h", "secretName": "s", "issuerRef": {}},
            {
                "duration": "2160h0m0s",
                "renewBefore": "360h0m0s",
                "secretName": "s",
                "issuerRef": {"name": ""},
            },
        ),
        (
            "Certificate",
            {"isCA": False, "renewBefore": None, "dnsNames": [], "privateKey": {"size": 0}},
            {"secretName": "", "issuerRef": {"name": ""}, "privateKey": {}},
        ),
        ("Certificate", {}, {"secretName": "", "issuerRef": {"name": ""}}),
        (
            "Certificate",
            {"encodeUsagesInRequest": False, "revisionHistoryLimit": 0},
            {
                "secretName": "",
                "issuerRef": {"name": ""},
                "encodeUsagesInRequest": False,
                "revisionHistoryLimit": 0,
            },
        ),
        ("ClusterIssuer", {"selfSigned": None}, {}),
        ("ClusterIssuer", {"selfSigned": {}}, {"selfSigned": {}}),
        ("Issuer", {"ca": {}}, {"ca": {"secretName": ""}}),
        ("CertificateRequest", {"request": "YQ=="}, {"issuerRef": {"name": ""}, "request": "YQ=="}),
    ],
)
def test_spec_is_written_back_as_go_would(kind: str, spec: Any, expected: Any) -> None:
    assert _recoded(kind, spec) == expected


_IN = "json: cannot unmarshal {} into Go struct field {} of type {}"


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("Certificate", {"duration": "90d"}, 'time: unknown unit "d" in duration "90d"'),
        (
            "Certificate",
            {"duration": 2160},
            _IN.format("number", "CertificateSpec.spec.duration", "string"),
        ),
        (
            "Certificate",
            {"privateKey": {"size": "2048"}},
            _IN.format("string", "CertificatePrivateKey.spec.privateKey.size", "int"),
        ),
        (
            "Certificate",
            {"privateKey": {"size": 1.5}},
            _IN.format("number 1.5", "CertificatePrivateKey.spec.privateKey.size", "int"),
        ),
        (
            "Certificate",
            {"isCA": "true"},
            _IN.format("string", "CertificateSpec.spec.isCA", "bool"),
        ),
        (
            "Certificate",
            {"dnsNames": "a.local"},
            _IN.format("string", "CertificateSpec.spec.dnsNames", "[]string"),
        ),
        (
            "Certificate",
            {"dnsNames": [1]},
            _IN.format("number", "CertificateSpec.spec.dnsNames", "string"),
        ),
        (
            "Certificate",
            {"issuerRef": "my-ca-issuer"},
            _IN.format("string", "CertificateSpec.spec.issuerRef", "v1.ObjectReference"),
        ),
        (
            "Issuer",
            {"ca": ["x"]},
            _IN.format("array", "IssuerSpec.spec.ca", "v1.CAIssuer"),
        ),
        ("CertificateRequest", {"request": "a*b"}, "illegal base64 data at input byte 1"),
    ],
)
def test_value_of_the_wrong_type_is_refused_in_gos_words(
    kind: str, spec: Any, message: str
) -> None:
    with pytest.raises(Undecodable) as caught:
        _recoded(kind, spec)
    assert str(caught.value) == message


def test_value_that_its_type_refuses_wins_over_an_earlier_wrong_type() -> None:
    with pytest.raises(Undecodable, match="unknown unit"):
        _recoded("Certificate", {"commonName": 1, "duration": "90d"})


def _review(obj: Object, user: Object) -> Object:
    plural = f"{obj['kind'].lower()}s"
    return {
        "uid": "u",
        "kind": {"group": "cert-manager.io", "version": "v1", "kind": obj["kind"]},
        "resource": {"group": "cert-manager.io", "version": "v1", "resource": plural},
        "operation": "CREATE",
        "userInfo": user,
        "object": obj,
    }


def _mutated(obj: Object, user: Object) -> Object:
    answer = mutate(_review(obj, user))
    assert answer["allowed"], answer
    return operations.apply(obj, json.loads(base64.b64decode(answer["patch"])))


def test_patch_leads_to_the_object_written_back() -> None:
    obj = _object("Certificate", {"isCA": False, "duration": "1h", "a/b": 1, "dnsNames": ["x"]})
    assert _mutated(obj, {})["spec"] == {
        "duration": "1h0m0s",
        "dnsNames": ["x"],
        "secretName": "",
        "issuerRef": {"name": ""},
    }


def test_new_request_names_its_requester_whatever_it_said() -> None:
    spec = {"request": "YQ==", "issuerRef": {"name": "i"}, "username": "root", "groups": ["wheel"]}
    user = {"username": "ada", "uid": "1", "groups": ["g"], "extra": {"k": ["v"]}}
    made = _mutated(_object("CertificateRequest", spec), user)["spec"]
    assert {key: made[key] for key in user} == user


def test_undecodable_object_is_a_bad_request() -> None:
    answer = mutate(_review(_object("Certificate", {"isCA": "yes"}), {}))
    assert (answer["allowed"], answer["status"]["code"], answer["status"]["reason"]) == (
        False,
        400,
        "BadRequest",
    )
