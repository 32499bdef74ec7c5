"""Source: pinniped.md 1.4; client-go's leader election."""

from tutor.sandbox.components.concierge.lease import held

NOW, LATER = "2023-08-09T18:30:00.000000Z", "2023-08-09T18:30:26.000000Z"


def test_lease_that_is_new_has_no_transitions():
    assert held(None, "a", NOW) == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 137,
        "acquireTime": NOW,
        "renewTime": NOW,
        "leaseTransitions": 0,
    }


def test_lease_that_is_renewed_keeps_when_it_was_taken():
    spec = held(held(None, "a", NOW), "a", LATER)
    assert (spec["acquireTime"], spec["renewTime"], spec["leaseTransitions"]) == (NOW, LATER, 0)


def test_lease_that_changes_hands_counts_it():
    spec = held(held(None, "a", NOW) | {"holderIdentity": ""}, "b", LATER)
    assert (spec["holderIdentity"], spec["acquireTime"], spec["leaseTransitions"]) == (
        "b",
        LATER,
        1,
    )
