"""Which kubectl the sandbox's shells run, when the learner prefers their own."""

import json
import logging
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

log = logging.getLogger(__name__)

OLDEST = (1, 28)
"""Major and minor."""

_LIMIT_S = 5.0


def find_own(environ: Mapping[str, str], ours: Path) -> Path | None:
    """The first kubectl on the PATH outside of our folder; None when that is absent or too old."""
    folders = [part for part in environ.get("PATH", "").split(os.pathsep) if part != str(ours)]
    found = shutil.which("kubectl", path=os.pathsep.join(folders))
    if found is None:
        log.warning("no kubectl of the learner's own")
        return None
    version = _version(found)
    if version is None or version < OLDEST:
        log.warning("own kubectl is not used", extra={"path": found, "version": version})
        return None
    return Path(found).absolute()


def _version(kubectl: str) -> tuple[int, int] | None:
    """Major and minor; None when the program does not say."""
    try:
        said = subprocess.run(  # noqa: S603 - the learner's own kubectl
            [kubectl, "version", "--client", "--output=json"],
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=True,
        )
        client = json.loads(said.stdout)["clientVersion"]
        return int(client["major"]), int(client["minor"].rstrip("+"))
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
        return None
