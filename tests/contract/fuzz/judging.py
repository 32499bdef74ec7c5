"""What is wrong with an answer, whatever was asked."""

import json

from tests.contract.fuzz.asking import Asked
from tests.contract.fuzz.wire import Answer

_OF_OTHERS = ("failed calling webhook", "conversion webhook for")
_UNAVAILABLE = ("service unavailable", "no endpoints available", "error trying to reach service")


def fault_of(answer: Answer) -> str:
    """What is wrong with an answer, whatever was asked; empty when nothing is."""
    if answer.status < 400:
        return ""
    text = answer.body.decode("utf-8", "replace")
    if answer.status >= 500 and not _is_legitimate(answer.status, text):
        return f"{answer.status} {text[:300]}"
    # What serves documents by their tags gives 412 no body, and leaves the type as it was.
    is_empty = answer.status == 412 and not text
    if answer.headers.get("content-type") == "application/json" and not is_empty:
        try:
            status = json.loads(text)
        except ValueError:
            return f"{answer.status} that is no JSON: {text[:300]}"
        if status.get("kind") == "Status" and status["code"] != answer.status:
            return f"{answer.status} that says {status['code']}"
    return ""


def _is_legitimate(status: int, text: str) -> bool:
    """Whether a real server says so, too, or the sandbox says that it does not simulate this.

    Its 500 without a reason is for errors that have no type in Go: a patch that cannot be merged.
    """
    match status:
        case 500:
            return '"reason"' not in text or any(words in text for words in _OF_OTHERS)
        case 501:
            return "the tutor's sandbox" in text
        case 504:
            return "Too large resource version" in text or "allotted timeout" in text
        case 503:
            return any(words in text for words in _UNAVAILABLE)
        case _:
            return False


def lies(asked: Asked) -> bool:
    """Whether its headers say something else of its body than is true."""
    lengths = [value for name, value in asked.headers if name.lower() == "content-length"]
    is_chunked = any(name.lower() == "transfer-encoding" for name, _ in asked.headers)
    return is_chunked or lengths not in ([], [str(len(asked.body))])
