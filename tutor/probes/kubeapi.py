"""One client of one cluster, as its kubeconfig says: GET and watch, raw JSON.

The one file that imports the `kubernetes` package. Source for paths and watches: Kubernetes API
concepts, *Resource URIs* and *Efficient detection of changes*.
"""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlencode, urlsplit

import urllib3
from kubernetes import config as kube_config
from kubernetes.client import ApiClient, Configuration
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util.ssl_ import create_urllib3_context
from yaml import YAMLError

from tutor.probes.failures import Refused, Unreachable, Unusable

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
WATCH_S = 290
"""Seconds after which the server is asked to end a watch, as client-go does (300 to 600)."""

OK = 200

LOOPBACK = "localhost,127.0.0.0/8,::1"


class Client:
    """A client of the cluster that a kubeconfig names. Threads may share it."""

    def __init__(
        self, config: Path, context: str | None, *, keys: Path, environment: Mapping[str, str]
    ) -> None:
        """`keys` is where the package keeps keys as files. Raises `Unusable`."""
        untyped: Any = kube_config
        configuration = Configuration()
        configuration.retries = 0
        configuration.keep_alive = True
        # Chosen here, and not from this process's own environment; a `proxy-url` still wins.
        configuration.proxy = _proxy(environment)
        configuration.no_proxy = ",".join(
            part
            for part in (LOOPBACK, environment.get("NO_PROXY"), environment.get("no_proxy"))
            if part
        )
        try:
            untyped.load_kube_config(
                config_file=str(config),
                context=context,
                client_configuration=configuration,
                persist_config=False,
                temp_file_path=str(keys),
            )
        except ConfigException as error:
            raise Unusable(str(error)) from error
        except (OSError, ValueError, TypeError, LookupError, AttributeError, YAMLError) as error:
            # What the package raises for files that are not a kubeconfig.
            raise Unusable(f"it is not a kubeconfig ({error})") from error
        configuration.proxy_headers = _proxy_headers(configuration.proxy)
        self.server: str = configuration.host
        self._client: Any = ApiClient(configuration)
        pools: Any = self._client.rest_client.pool_manager
        pools.connection_pool_kw["ssl_context"] = _tls_context(configuration)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """GET a JSON document. Raises `Refused`, `Unreachable`."""
        response = self._open(path, query, READ_TIMEOUT_S)
        try:
            return _document(response.status, response.data)
        except HTTPError as error:
            raise Unreachable(_words(error)) from error

    def watch(self, path: str, **query: str) -> "Events":
        """Begin a watch. Raises `Refused`, `Unreachable`."""
        asked = {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_S)}
        response = self._open(path, {**asked, **query}, WATCH_S + READ_TIMEOUT_S)
        if response.status != OK:
            _document(response.status, response.data)
        return Events(response)

    def close(self) -> None:
        """Close idle connections."""
        self._client.rest_client.close()

    def _open(
        self, path: str, query: Mapping[str, str], read_timeout_s: float
    ) -> urllib3.BaseHTTPResponse:
        method, url, headers, *_ = self._client.param_serialize(
            method="GET",
            resource_path=f"{path}?{urlencode(query)}" if query else path,
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._client.call_api(
                method,
                url,
                header_params=headers,
                _request_timeout=(CONNECT_TIMEOUT_S, read_timeout_s),
            )
        except (HTTPError, OSError) as error:
            raise Unreachable(_words(error)) from error
        return cast("urllib3.BaseHTTPResponse", answer.response)


class Events:
    """The events of a watch, until it ends."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each event as a dict of `type` and `object`. Raises `Unreachable`."""
        rest = b""
        try:
            for chunk in self._response.stream(65536, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (json.loads(line) for line in lines if line.strip())
        except (HTTPError, OSError, ValueError) as error:
            raise Unreachable(_words(error)) from error
        finally:
            self._response.close()

    def stop(self) -> None:
        """End it, from any thread; `__iter__` then raises `Unreachable` or just ends."""
        with suppress(OSError, ValueError, RuntimeError):  # it has ended by itself
            self._response.shutdown()


def _document(status: int, body: bytes) -> dict[str, Any]:
    """The body of an answer. Raises `Refused` with the server's own message."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise Refused(status, f"its answer is not JSON (status {status})") from error
    if status != OK:
        status_object = cast("dict[str, Any]", document if isinstance(document, dict) else {})
        raise Refused(status, str(status_object.get("message") or f"status {status}"))
    return cast("dict[str, Any]", document)


def _words(error: Exception) -> str:
    """The innermost reason, as Go's programs say it where there is a saying."""
    if isinstance(error, MaxRetryError) and error.reason is not None:
        return _words(error.reason)
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return f"its certificate cannot be verified: {cause.verify_message}"
            case ConnectionRefusedError():
                return "connection refused"
            case socket.gaierror():
                return "no such host"
            case TimeoutError():
                return "it takes too long to answer"
            case _:
                pass
    return " ".join(str(error).split())


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    pending: list[object] = [error]
    while pending:
        each = pending.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            pending += [each.__cause__, each.__context__, *each.args]


def _tls_context(configuration: Configuration) -> ssl.SSLContext:
    """Go's judgement of certificates: any given authority will do, and no identifier is missed.

    urllib3 takes Python's own from 3.13 on, which refuses the authorities of many clusters.
    """
    untyped: Any = configuration
    context = create_urllib3_context(
        cert_reqs=ssl.CERT_REQUIRED if untyped.verify_ssl else ssl.CERT_NONE,
        verify_flags=ssl.VERIFY_X509_PARTIAL_CHAIN,
    )
    if not (untyped.ssl_ca_cert or untyped.ca_cert_data):
        context.load_default_certs()
    return context


def _proxy(environment: Mapping[str, str]) -> str | None:
    return environment.get("HTTPS_PROXY") or environment.get("https_proxy")


def _proxy_headers(proxy: str | None) -> dict[str, str] | None:
    """The token in a proxy's address, as the header that carries it."""
    parts = urlsplit(proxy or "")
    if parts.username is None:
        return None
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return dict(urllib3.make_headers(proxy_basic_auth=user))
