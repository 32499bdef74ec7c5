"""Answers in plain text."""

from tutor.sandbox.api.request import Response

TEXT = "text/plain; charset=utf-8"
_NOSNIFF = ("X-Content-Type-Options", "nosniff")


def page_not_found() -> Response:
    """404 for a path that nobody owns."""
    body = b"404 page not found\n"
    return Response(status=404, body=body, content_type=TEXT, headers=(_NOSNIFF,))


def page(body: str) -> Response:
    """Plain text, as health checks answer."""
    return Response(status=200, body=body.encode(), content_type=TEXT, headers=(_NOSNIFF,))
