"""The Concierge's configuration file: what may stand in it, and what does when nothing does.

Source: pinniped.md 1.3.1 and 3.9; the order of checks and their texts from Pinniped v0.25.0
(`internal/config/concierge`, `internal/groupsuffix`, `internal/plog`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import yaml

_YEAR_S = 365 * 24 * 60 * 60
_NINE_MONTHS_S = 9 * 30 * 24 * 60 * 60
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PORTS = range(1024, 65536)
LEVELS = ("", "info", "debug", "trace", "all")
"""Levels of the log, from few lines to all."""
_NAMES = (
    "servingCertificateSecret",
    "credentialIssuer",
    "apiService",
    "impersonationLoadBalancerService",
    "impersonationClusterIPService",
    "impersonationTLSCertificateSecret",
    "impersonationCACertificateSecret",
    "impersonationSignerSecret",
    "agentServiceAccount",
)


class ConfigError(Exception):
    """The file cannot be used; the text is Pinniped's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the Concierge's objects are called."""

    serving_secret: str
    credential_issuer: str
    api_service: str
    load_balancer: str
    cluster_ip: str
    tls_secret: str
    ca_secret: str
    signer_secret: str
    agent_account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A configuration with its defaults."""

    names: Names
    labels: Mapping[str, str]
    discovery_url: str | None
    certificate_lifetime: timedelta
    renew_before: timedelta
    """The age at which the serving certificate is replaced."""
    suffix: str
    """Of the API groups."""
    api_port: int
    proxy_port: int
    agent_prefix: str
    agent_image: str
    agent_pull_secrets: tuple[str, ...]
    level: str

    @property
    def agent_deployment(self) -> str:
        """The name of the agent's Deployment."""
        return self.agent_prefix.removesuffix("-")

    def group(self, name: str) -> str:
        """An API group, such as `login.concierge.pinniped.dev` for `login.concierge`."""
        return f"{name}.{self.suffix}"


def load(text: str) -> Config:
    """Read the file.

    Raises:
        ConfigError: For the first thing that is wrong.
    """
    try:
        raw: Any = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ConfigError(f"decode yaml: {error}") from None
    if raw is not None and not isinstance(raw, dict):
        raise ConfigError("decode yaml: error unmarshaling JSON: it is not a mapping")
    return _config(cast("dict[str, Any]", raw or {}))


def _config(raw: dict[str, Any]) -> Config:
    serving = _section(_section(raw, "api"), "servingCertificate")
    agent = _section(raw, "kubeCertAgent")
    lifetime = _given(serving, "durationSeconds", _YEAR_S)
    renew = _given(serving, "renewBeforeSeconds", _NINE_MONTHS_S)
    _check_api(lifetime, renew)
    suffix = _given(raw, "apiGroupSuffix", "pinniped.dev")
    check_suffix(suffix)
    api_port = _given(raw, "aggregatedAPIServerPort", 10250)
    _check_port(api_port, "aggregatedAPIServerPort")
    proxy_port = _given(raw, "impersonationProxyServerPort", 8444)
    _check_port(proxy_port, "impersonationProxyServerPort")
    names = _names(_section(raw, "names"))
    level = _level(_section(raw, "log"), raw.get("logLevel") or "")
    return Config(
        names=names,
        labels=_section(raw, "labels"),
        discovery_url=_section(raw, "discovery").get("url"),
        certificate_lifetime=timedelta(seconds=lifetime),
        renew_before=timedelta(seconds=renew),
        suffix=suffix,
        api_port=api_port,
        proxy_port=proxy_port,
        agent_prefix=_given(agent, "namePrefix", "pinniped-kube-cert-agent-"),
        agent_image=_given(agent, "image", "debian:latest"),
        agent_pull_secrets=tuple(agent.get("imagePullSecrets") or ()),
        level=level,
    )


def _section(raw: dict[str, Any], name: str) -> dict[str, Any]:
    return raw.get(name) or {}


def _given(raw: dict[str, Any], name: str, default: Any) -> Any:
    value = raw.get(name)
    return default if value is None else value


def _check_api(lifetime: int, renew: int) -> None:
    if lifetime < renew:
        raise ConfigError("validate api: durationSeconds cannot be smaller than renewBeforeSeconds")
    if renew <= 0:
        raise ConfigError("validate api: renewBefore must be positive")


def check_suffix(suffix: str) -> None:
    """Refuse what cannot end an API group."""
    errors: list[str] = []
    if "." not in suffix:
        errors.append("must contain '.'")
    if not _SUBDOMAIN.fullmatch(suffix):
        errors.append(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters,"
            " '-' or '.', and must start and end with an alphanumeric character (e.g."
            " 'example.com', regex used for validation is"
            " '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        )
    if errors:
        text = errors[0] if len(errors) == 1 else "[" + ", ".join(errors) + "]"
        raise ConfigError(f"validate apiGroupSuffix: {text}")


def _check_port(port: int, field: str) -> None:
    if port not in _PORTS:
        raise ConfigError(f"validate {field}: must be within range 1024 to 65535")


def _names(raw: dict[str, Any]) -> Names:
    missing = [name for name in _NAMES if not raw.get(name)]
    if missing:
        raise ConfigError(f"validate names: missing required names: {', '.join(missing)}")
    return Names(
        serving_secret=raw["servingCertificateSecret"],
        credential_issuer=raw["credentialIssuer"],
        api_service=raw["apiService"],
        load_balancer=raw["impersonationLoadBalancerService"],
        cluster_ip=raw["impersonationClusterIPService"],
        tls_secret=raw["impersonationTLSCertificateSecret"],
        ca_secret=raw["impersonationCACertificateSecret"],
        signer_secret=raw["impersonationSignerSecret"],
        agent_account=raw["agentServiceAccount"],
    )


def _level(raw: dict[str, Any], old: str) -> str:
    level = old or raw.get("level") or ""
    if level not in LEVELS:
        raise ConfigError(
            "validate log level: invalid log level, valid choices are the empty string, info,"
            " debug, trace and all"
        )
    if (raw.get("format") or "json") not in ("json", "text"):
        raise ConfigError(
            "validate log level: invalid log format, valid choices are the empty string, 'json' and"
            " 'text'"
        )
    return level
