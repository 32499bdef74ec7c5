"""Failures that are plain text, as Go's `http.Error` writes them.

Source: apiserver's `responsewriters.InternalError`.
"""

from tutor.sandbox.api.request import Response
from tutor.sandbox.api.status import go_quote

_TEXT = "text/plain; charset=utf-8"
NOSNIFF = ("X-Content-Type-Options", "nosniff")


class Plain(Exception):
    """An answer in plain text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status

    def response(self) -> Response:
        """The answer."""
        body = f"{self}\n".encode()
        return Response(status=self.status, body=body, content_type=_TEXT, headers=(NOSNIFF,))


def internal_text(target: str, why: str) -> Plain:
    """500 for a request target."""
    text = f"Internal Server Error: {go_quote(target)}: {why}"
    # The real sanitizer leaves nothing that a browser could take for markup.
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Plain(500, safe)
