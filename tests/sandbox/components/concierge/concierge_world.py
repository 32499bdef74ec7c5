"""What the tests of this folder start from."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

import tutor.sandbox.components.concierge as package
from tutor.sandbox import pki
from tutor.sandbox.components.concierge.config import Config, load
from tutor.sandbox.components.concierge.encoding import secret_data
from tutor.sandbox.components.concierge.log import Log
from tutor.sandbox.pki import Authority, Pair

Object = dict[str, Any]
NAMESPACE = "pinniped-concierge"
NOW = datetime(2023, 8, 9, 18, 30, tzinfo=UTC)
_MANIFEST = "manifests/install-pinniped-concierge-resources.yaml"


def manifest() -> list[Object]:
    """The objects of the install manifest."""
    text = (package_folder() / _MANIFEST).read_text()
    return [item for item in yaml.load_all(text, yaml.CSafeLoader) if item]


def package_folder() -> Path:
    """Where the component is."""
    return Path(package.__path__[0])


def config_text() -> str:
    """The configuration of the install manifest."""
    return manifest()[0]["data"]["pinniped.yaml"]


def config() -> Config:
    """That configuration, read."""
    return load(config_text())


class Lines:
    """A log that keeps its lines."""

    def __init__(self, level: str = "") -> None:
        self.lines: list[str] = []
        self.log = Log(self.lines.append, lambda: NOW, level)


def secret(name: str, values: dict[str, str], kind: str = "kubernetes.io/tls") -> Object:
    """A Secret in the Concierge's namespace."""
    return {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "type": kind,
        "data": secret_data(values),
    }


def authority(name: str = "my-selfsigned-ca") -> Authority:
    """A CA."""
    return pki.new_authority(name, now=NOW, lifetime=timedelta(days=90))


def serving(by: Authority, host: str = "impersonation-proxy-mtls.local") -> Pair:
    """A serving certificate."""
    return pki.issue(
        by, subject=pki.subject_of(), now=NOW, lifetime=timedelta(days=90), hosts=[host]
    )
