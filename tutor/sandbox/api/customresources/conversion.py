"""How objects of one version become objects of another: not at all, or by a webhook.

Source: apiextensions-apiserver (`pkg/apis/apiextensions/validation/validation.go`), apiserver
(`pkg/util/webhook/validation.go`).
"""

import base64
import binascii
from collections.abc import Iterator
from urllib.parse import urlsplit

from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.formats import dns1035_label, dns1123_subdomain
from tutor.sandbox.api.status import (
    FieldError,
    forbidden_field,
    go_quote,
    invalid,
    not_supported,
    required,
)
from tutor.sandbox.api.structural.url import parse_url
from tutor.sandbox.kinds import Object

_STRATEGIES = ("None", "Webhook")
_REVIEWS = ("v1", "v1beta1")
_URL_FORM = "; desired format: https://host[/path]"
_BORNE = ("empty url", "invalid URI for request")
"""What is wrong with a URL of which the server only says later what it lacks."""
_NO_PEM = "unable to load root certificates: unable to parse bytes as PEM block"


def check_conversion(
    conversion: Object | None, path: str, *, lax_bundle: bool
) -> Iterator[FieldError]:
    """What is wrong with a conversion. With `lax_bundle` its `caBundle` may be anything."""
    if conversion is None:
        return
    strategy = conversion.get("strategy", "")
    if not strategy:
        yield required(f"{path}.strategy")
    elif strategy not in _STRATEGIES:
        yield not_supported(f"{path}.strategy", strategy, _STRATEGIES)
    config: Object | None = part(conversion, "webhook").get("clientConfig")
    reviews: list[str] = part(conversion, "webhook").get("conversionReviewVersions") or []
    at, reviews_at = f"{path}.webhookClientConfig", f"{path}.conversionReviewVersions"
    if strategy == "Webhook":
        yield from _check_config(config, at, lax_bundle=lax_bundle)
        yield from _check_reviews(reviews, reviews_at)
        return
    why = "should not be set when strategy is not set to Webhook"
    if config is not None:
        yield forbidden_field(at, why)
    if reviews:
        yield forbidden_field(reviews_at, why)


def is_bad_bundle(encoded: str) -> bool:
    """Whether a `caBundle` has no certificate in it."""
    try:
        decoded = base64.b64decode(encoded)
    except binascii.Error:
        return True
    return b"-----BEGIN CERTIFICATE-----" not in decoded


def _check_config(config: Object | None, path: str, *, lax_bundle: bool) -> Iterator[FieldError]:
    if config is None:
        yield required(path, "required when strategy is set to Webhook")
        return
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    elif service is None:
        yield from _check_url(str(url), f"{path}.url")
    else:
        yield from _check_service(service, f"{path}.service")
    bundle = config.get("caBundle")
    if bundle and not lax_bundle and is_bad_bundle(bundle):
        yield invalid(f"{path}.caBundle", bundle, _NO_PEM)


def _check_url(text: str, path: str) -> Iterator[FieldError]:
    try:
        parse_url(text.partition("#")[0])
        url = urlsplit(text)
    except ValueError as error:
        if str(error) not in _BORNE:
            why = f"parse {go_quote(text)}: {error}"
            yield required(path, f"url must be a valid URL: {why}{_URL_FORM}")
            return
        url = urlsplit("")
    user, _, host = url.netloc.rpartition("@")
    if url.scheme != "https":
        yield invalid(path, url.scheme, f"'https' is the only allowed URL scheme{_URL_FORM}")
    if not host:
        yield invalid(path, host, f"host must be specified{_URL_FORM}")
    if "@" in url.netloc:
        yield invalid(path, user, "user information is not permitted in the URL")
    if url.fragment:
        yield invalid(path, url.fragment, "fragments are not permitted in the URL")
    if url.query:
        yield invalid(path, url.query, "query parameters are not permitted in the URL")


def _check_service(service: Object, path: str) -> Iterator[FieldError]:
    # The real server takes one for the other here.
    if not service.get("namespace"):
        yield required(f"{path}.name")
    if not service.get("name"):
        yield required(f"{path}.namespace")
    port = service.get("port", 0)
    if not 1 <= port <= 65535:
        why = "port is not valid: must be between 1 and 65535, inclusive"
        yield invalid(f"{path}.port", port, why)
    yield from _check_service_path(service.get("path") or "/", f"{path}.path")


def _check_service_path(text: str, path: str) -> Iterator[FieldError]:
    if text == "/":
        return
    if text == "//":
        yield invalid(path, text, "segment[0] may not be empty")
        return
    if not text.startswith("/"):
        yield invalid(path, text, "must start with a '/'")
    for index, segment in enumerate(text[1:].removesuffix("/").split("/")):
        complaints = dns1123_subdomain(segment) if segment else ["may not be empty"]
        colon = ":" if segment else ""
        for complaint in complaints:
            yield invalid(path, text, f"segment[{index}]{colon} {complaint}")


def _check_reviews(versions: list[str], path: str) -> Iterator[FieldError]:
    if not versions:
        yield required(path)
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{path}[{index}]", version, "duplicate version")
            continue
        for complaint in dns1035_label(version):
            yield invalid(f"{path}[{index}]", version, complaint)
    if not set(versions) & set(_REVIEWS):
        yield invalid(path, versions, "must include at least one of " + ", ".join(_REVIEWS))
