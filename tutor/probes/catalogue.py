"""The sources by name."""

from collections.abc import Mapping
from typing import Any

from tutor.probes.source import Source
from tutor.probes.sources import (
    command,
    file,
    hosts,
    http,
    object,  # noqa: A004 - the source's own name
    objects,
    password,
    shell,
    tls,
    x509,
)

SOURCES: Mapping[str, Source[Any]] = {
    "object": object.SOURCE,
    "objects": objects.SOURCE,
    "file": file.SOURCE,
    "shell": shell.SOURCE,
    "tls": tls.SOURCE,
    "x509": x509.SOURCE,
    "hosts": hosts.SOURCE,
    "http": http.SOURCE,
    "password": password.SOURCE,
    "command": command.SOURCE,
}
