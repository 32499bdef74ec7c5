"""The rules hide what they are for, and nothing else."""

import pytest

from tests.interop.rules import Object, comparable, normal

LISTED = """\
NAMESPACE   NAME          READY   REQUESTOR          AGE
default     web-bcd45     True    kubernetes-admin   2m3s
"""


def test_rules_make_two_runs_of_a_table_the_same() -> None:
    other = LISTED.replace("bcd45", "xz789").replace("2m3s", "14s")
    other = other.replace("kubernetes-admin", "system:serviceaccount:a:b")
    assert normal(LISTED) == normal(other)
    assert normal(LISTED) != normal(LISTED.replace("True", "False"))


@pytest.mark.parametrize(
    "text",
    [
        "secret/contourcert updated",
        'port "443" on service "pinniped-concierge/late" not matched',
        "Certificate is up to date and has not expired",
        "https://impersonation-proxy-mtls.local/apis/login.concierge.pinniped.dev/v1alpha1",
        "certificate duration must be greater than 1h0m0s.",
        "group-for-mtls",
    ],
)
def test_rules_leave_what_is_said_alone(text: str) -> None:
    assert normal(text) == text


def test_objects_of_two_runs_are_the_same_but_for_what_they_say() -> None:
    def certificate(run: str, status: str) -> Object:
        conditions = [
            {"type": "Ready", "status": status, "lastTransitionTime": f"2026-01-0{run}T00:00:00Z"},
            {"type": "Issuing", "status": "True"},
        ]
        metadata = {"name": "a", "uid": run, "resourceVersion": run, "generation": 1}
        ordered = conditions if run == "1" else conditions[::-1]
        return {"kind": "Certificate", "metadata": metadata, "status": {"conditions": ordered}}

    assert comparable(certificate("1", "True")) == comparable(certificate("2", "True"))
    assert comparable(certificate("1", "True")) != comparable(certificate("2", "False"))
