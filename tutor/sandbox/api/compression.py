"""Large answers about resources are compressed for those who can read that.

Source: apiserver v0.36, pkg/endpoints/handlers/responsewriters (threshold, level and headers).
"""

import gzip

from tutor.sandbox.api.request import Request, Response

_LEAST_BYTES = 128 * 1024
_LEVEL = 1


def compressed(request: Request, made: Response) -> Response:
    """The answer, compressed where the request allows it and it is worth it."""
    if len(made.body) <= _LEAST_BYTES or not _reads_gzip(request):
        return made
    return Response(
        status=made.status,
        body=gzip.compress(made.body, _LEVEL, mtime=0),
        content_type=made.content_type,
        headers=(*made.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")),
    )


def _reads_gzip(request: Request) -> bool:
    # As there, a clause with a quality is not understood.
    return any(clause.strip() == "gzip" for clause in request.header("accept-encoding").split(","))
