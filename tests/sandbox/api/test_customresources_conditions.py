"""The status of a definition against the recording `names-conflict`."""

from pathlib import Path

import pytest
import yaml

from tutor.sandbox.api.customresources import conditions
from tutor.sandbox.api.customresources.behaviour import CUSTOM_RESOURCE_DEFINITION as BEHAVIOUR
from tutor.sandbox.kinds import Object

SCENARIO = (
    Path(__file__).resolve().parents[4] / "shared" / "scenarios" / "crd" / "names-conflict.yaml"
)
pytestmark = pytest.mark.skipif(
    not SCENARIO.is_file(), reason="the recordings are not beside the checkout"
)
NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T00:00:09Z"


def definition(name: str) -> Object:
    crd = yaml.safe_load(yaml.safe_load(SCENARIO.read_text())["files"][f"{name}.yaml"])
    BEHAVIOUR.default(crd)
    BEHAVIOUR.prepare_create(crd)
    return crd


def accept(crd: Object, others: list[Object], now: str) -> Object:
    status = conditions.accept_names(crd, others, now)
    assert status is not None
    return status


def told(crd: Object) -> list[str]:
    return [f"{one['type']} {one['status']} {one['reason']}" for one in crd["status"]["conditions"]]


def first() -> Object:
    crd = definition("one")
    crd["status"] = accept(crd, [crd], NOW)
    return crd


def test_names_when_free_are_accepted_and_then_established() -> None:
    crd = first()
    assert told(crd) == ["NamesAccepted True NoConflicts", "Established False Installing"]
    assert crd["status"]["acceptedNames"] == crd["spec"]["names"]
    crd["status"] = conditions.establish(crd, LATER) or {}
    assert told(crd)[1] == "Established True InitialNamesAccepted"
    times = [one["lastTransitionTime"] for one in crd["status"]["conditions"]]
    assert times == [NOW, LATER]
    assert conditions.establish(crd, LATER) is None
    assert conditions.accept_names(crd, [crd], LATER) is None


def test_names_when_taken_are_refused_as_recorded() -> None:
    one, two = first(), definition("two")
    two["status"] = accept(two, [one, two], NOW)
    steps = yaml.safe_load(SCENARIO.read_text())["steps"]
    recorded = next(step["stdout"] for step in steps if "ListKindConflict" in step["stdout"])
    assert "\n".join(told(two)) + "\n" == recorded
    assert two["status"]["acceptedNames"] == {"plural": "twos"}
    assert two["status"]["conditions"][0]["message"] == '"OneList" is already in use'
    assert conditions.accept_names(two, [one, two], LATER) is None
    assert conditions.establish(two, LATER) is None


def test_names_when_given_back_are_accepted() -> None:
    one, two = first(), definition("two")
    two["status"] = accept(two, [one, two], NOW)
    two["status"] = accept(two, [two], LATER)
    assert told(two) == ["NamesAccepted True NoConflicts", "Established False Installing"]
    assert two["status"]["conditions"][0]["lastTransitionTime"] == LATER
    assert two["status"]["conditions"][1]["lastTransitionTime"] == NOW


def test_group_of_kubernetes_when_approved_is_told_so() -> None:
    crd = definition("one")
    assert conditions.approve(crd, NOW) is None
    crd["spec"]["group"] = "gateway.networking.k8s.io"
    url = "https://github.com/kubernetes-sigs/gateway-api/pull/3328"
    crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": url}
    crd["status"] = conditions.approve(crd, NOW) or {}
    assert told(crd) == ["KubernetesAPIApprovalPolicyConformant True ApprovedAnnotation"]
    assert crd["status"]["conditions"][0]["message"] == f"approved in {url}"
    assert conditions.approve(crd, LATER) is None


def test_condition_when_set_again_keeps_its_time_as_long_as_its_status() -> None:
    crd = first()
    crd["status"] = conditions.with_condition(crd, conditions.DELETION_PENDING, NOW)
    crd["status"] = conditions.with_condition(crd, conditions.DELETION_IN_PROGRESS, LATER)
    last = crd["status"]["conditions"][-1]
    assert (last["reason"], last["lastTransitionTime"]) == ("InstanceDeletionInProgress", NOW)
    crd["status"] = conditions.with_condition(crd, conditions.DELETION_COMPLETED, LATER)
    assert crd["status"]["conditions"][-1]["lastTransitionTime"] == LATER


def test_definition_when_deleted_first_waits_for_its_objects() -> None:
    crd = first()
    leaving = conditions.leave(crd, LATER)
    assert not conditions.is_leaving(crd)
    assert conditions.is_leaving(leaving)
    assert leaving["metadata"]["deletionTimestamp"] == LATER
    assert "deletionGracePeriodSeconds" not in leaving["metadata"]
    assert told(leaving)[-1] == "Terminating True InstanceDeletionPending"
    leaving["status"] = conditions.report_removal(leaving, LATER) or {}
    assert told(leaving)[-1] == "Terminating True InstanceDeletionInProgress"
    assert conditions.report_removal(leaving, LATER) is None
    gone = conditions.released(leaving, conditions.DELETION_COMPLETED, LATER)
    assert gone["metadata"]["finalizers"] == []
    assert told(gone)[-1] == "Terminating False InstanceDeletionCompleted"
