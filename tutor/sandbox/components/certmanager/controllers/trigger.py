"""Marks certificates that must be issued, and keeps their readiness.

Source: cert-manager v1.12.3, pkg/controller/certificates/{trigger,readiness}.
"""

from datetime import datetime, timedelta

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.component import DONE, Result
from tutor.sandbox.components.certmanager.backoff import delay_after_failure
from tutor.sandbox.components.certmanager.conditions import Condition, go_time
from tutor.sandbox.components.certmanager.controllers.base import (
    Around,
    Controller,
    certificate_watches,
    changed,
    gather,
    status_of,
)
from tutor.sandbox.components.certmanager.pem import InvalidData
from tutor.sandbox.components.certmanager.policies import (
    READINESS,
    TRIGGER,
    Gathered,
    first_verdict,
    parse_time,
)
from tutor.sandbox.components.certmanager.resources import (
    CERTIFICATES,
)
from tutor.sandbox.components.certmanager.signing import renewal_time
from tutor.sandbox.controllers.resources import condition, is_true

_READY_MESSAGE = "Certificate is up to date and has not expired"
_JUST_AFTER = timedelta(seconds=1)


class Trigger(Controller):
    """Sets `Issuing` when a certificate must be issued."""

    def __init__(self, around: Around) -> None:
        super().__init__(around, "certificates-trigger")
        self.watches = certificate_watches(self.client)

    async def sync(self, namespace: str, name: str) -> Result:
        """Judge one Certificate."""
        certificate = self.client.find(CERTIFICATES, namespace, name)
        if certificate is None or is_true(certificate, "Issuing"):
            return DONE
        if condition(certificate, "Ready") is None:
            return DONE  # readiness wins this race nearly always; its write brings us back
        klog = self.klog.having({"key": f"{namespace}/{name}"})
        given, now = gather(self.client, certificate), self.client.now()
        delay = delay_after_failure(given, now)
        if delay is not None:
            text = (
                "Backing off from issuance due to previously failed issuance(s). "
                f"Issuance will next be attempted at {go_time(now + delay)}"
            )
            klog.info("trigger_controller.go:173", text)
            return Result(again_s=delay.total_seconds())
        verdict = first_verdict(TRIGGER, given, now)
        if verdict is None:
            return _at_renewal(given, now)
        text = "Certificate must be re-issued"
        pairs = {"reason": verdict.reason, "message": verdict.message}
        klog.info("trigger_controller.go:194", text, pairs)
        new = changed(certificate)
        self.set_condition(new, Condition("Issuing", "True", *verdict))
        await self.write_status(new, certificate)
        await self.recorder.normal(certificate, "Issuing", verdict.message)
        return DONE


def _at_renewal(given: Gathered, now: datetime) -> Result:
    due = status_of(given.certificate).get("renewalTime")
    if due is None:
        return DONE
    left = (parse_time(due) - now).total_seconds()
    return Result(again_s=left) if left >= 0 else DONE


class Readiness(Controller):
    """Keeps `Ready` and the times of the certificate that is there."""

    def __init__(self, around: Around) -> None:
        super().__init__(around, "certificates-readiness")
        self.watches = certificate_watches(self.client)

    async def sync(self, namespace: str, name: str) -> Result:
        """Judge one Certificate."""
        certificate = self.client.find(CERTIFICATES, namespace, name)
        if certificate is None:
            return DONE
        given, now = gather(self.client, certificate), self.client.now()
        verdict = first_verdict(READINESS, given, now)
        wanted = (
            Condition("Ready", "True", "Ready", _READY_MESSAGE)
            if verdict is None
            else Condition("Ready", "False", *verdict)
        )
        new = changed(certificate)
        self.set_condition(new, wanted)
        status = new["status"]
        for field in ("notAfter", "notBefore", "renewalTime"):
            status.pop(field, None)
        status |= _times(given)
        await self.write_status(new, certificate)
        if verdict is not None or "notAfter" not in status:
            return DONE
        left = parse_time(status["notAfter"]) + _JUST_AFTER - now
        return Result(again_s=max(left.total_seconds(), 0))


def _times(given: Gathered) -> dict[str, str]:
    try:
        issued = given.issued()
    except InvalidData:
        return {}
    return {
        "notAfter": timestamp(issued.not_valid_after_utc),
        "notBefore": timestamp(issued.not_valid_before_utc),
        "renewalTime": timestamp(renewal_time(issued, given.spec.get("renewBefore"))),
    }
