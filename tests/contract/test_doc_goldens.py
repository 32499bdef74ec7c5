"""The commands of the document give what they gave in the recording, on the embedded cluster.

Source: the recordings `doc-*`. Where a stand-in of the recording had written less than the real
product does, the differences are the reference's (pinniped.md 1.4, 3.1 and 3.10).
"""

import asyncio
import difflib
from collections.abc import Mapping

import pytest

from tests.contract.doc_goldens import CASES, Played, play, recorded

pytestmark = [pytest.mark.contract, pytest.mark.timeout(180)]

NAMES = sorted(file.stem for file in CASES.glob("doc-*.json"))

IDLE = "service.beta.kubernetes.io/aws-load-balancer-connection-idle-timeout"
MORE: Mapping[str, tuple[str, ...]] = {
    "doc-get-credentialissuer-yaml": (
        "+  kubeConfigInfo:",
        "+    certificateAuthorityData: <pem base64>",
        "+    server: https://kind-with-contour-control-plane:6443",
        "-        server: https://127.0.0.1:<port>",
        "+        server: https://kind-with-contour-control-plane:6443",
    ),
    "doc-get-service-yaml": (
        "+  annotations:",
        f"+    credentialissuer.pinniped.dev/annotation-keys: '[\"{IDLE}\"]'",
        f'+    {IDLE}: "4000"',
        "+  ownerReferences:",
        "+  - apiVersion: apps/v1",
        "+    kind: Deployment",
        "+    name: pinniped-concierge",
        "+    uid: <uid>",
        "-    deployment.pinniped.dev: concierge",
        "+    app: pinniped-concierge",
    ),
}
"""What the real products write and the recording's stand-ins did not, as lines of a diff."""

NOT_RECORDED = (
    "cert-manager  ",
    "kube-system  ",
    "local-path-storage  ",
    "pinniped-concierge  pinniped-concierge-kube-cert-agent-",
)
"""Pods that a kind cluster has, and the recording's had not."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Played]:
    if not NAMES:
        pytest.skip(f"the recordings are not in {CASES}")
    return asyncio.run(play(tmp_path_factory.mktemp("document")))


def rows(text: str) -> list[str]:
    """A table of pods; its order is that of names with random parts."""
    return sorted(line for line in text.splitlines() if not line.startswith(NOT_RECORDED))


def test_every_command_of_the_document_is_played(played: Mapping[str, Played]) -> None:
    assert sorted(played) == NAMES


@pytest.mark.parametrize("case", NAMES)
def test_command_of_the_document_gives_what_was_recorded(
    case: str, played: Mapping[str, Played]
) -> None:
    ours, theirs = played[case], recorded(case)
    assert ours.exit == theirs.exit
    assert ours.requests == theirs.requests
    assert ours.discovery == theirs.discovery
    assert ours.err == theirs.err
    if case.startswith("doc-get-pods-"):
        assert rows(ours.out) == rows(theirs.out)
        return
    lines = difflib.unified_diff(theirs.out.splitlines(), ours.out.splitlines(), n=0, lineterm="")
    changed = [line for line in lines if line[:2] not in ("--", "++", "@@")]
    assert tuple(changed) == MORE.get(case, ())
