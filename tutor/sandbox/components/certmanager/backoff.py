"""When a failed issuance may be tried again.

Source: cert-manager v1.12.3, pkg/controller/certificates/trigger; cert-manager.md 3.6.
"""

from datetime import datetime, timedelta

from tutor.sandbox.components.certmanager.matching import request_mismatches
from tutor.sandbox.components.certmanager.pem import InvalidData
from tutor.sandbox.components.certmanager.policies import Gathered, parse_time
from tutor.sandbox.kinds import Object

_FIRST, _MOST = timedelta(hours=1), timedelta(hours=32)
_DOUBLINGS = 5


def delay_after_failure(given: Gathered, now: datetime) -> timedelta | None:
    """How long to wait yet, None to go ahead.

    There is nothing to wait for when the spec no longer is the one that failed.
    """
    status: Object = given.certificate.get("status") or {}
    failed = status.get("lastFailureTime")
    if failed is None:
        return None
    if given.next is not None:
        try:
            if request_mismatches(given.next, given.spec):
                return None
        except InvalidData:
            return None
    attempts = status.get("failedIssuanceAttempts") or 1
    delay = _MOST if attempts > _DOUBLINGS else _FIRST * 2 ** (attempts - 1)
    left = parse_time(failed) + delay - now
    return left if left > timedelta(0) else None
