"""A second terminal can do all that the lesson's own shell can, with the files of the lesson."""

from pathlib import Path

import pytest

from tests.e2e.commands import User
from tests.lessons.looking import PLACE
from tests.lessons.rehearsal import go_back
from tests.lessons.roads import LESSONS, Roads
from tutor import paths
from tutor.cli.cluster import stop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LESSON = next(each for each in LESSONS if each.id == "pinniped-external-certificate")
ADMIN = "--kubeconfig kind-with-contour.kubeconfig.yaml"
PINNY = "--kubeconfig pinniped-kubeconfig.yaml"
URL = "https://impersonation-proxy-mtls.local/healthz"


def test_second_terminal_goes_on_where_the_lesson_is(roads: Roads) -> None:
    road = roads.of(LESSON)
    go_back(road.root, road.moments["clean-up"])
    user = User(road.root, HOME=str(road.root / "user"))
    try:
        ran = user.terminal(
            f"""
            cd "$TUTOR_WORK"
            until curl -sk -o /dev/null {URL}; do sleep 0.1; done
            base64 -d < self-signed-ca-for-kind-testing.pem.b64 > ca.pem
            curl -s --cacert ca.pem {URL}; echo
            kubectl get nodes -o name
            # A cluster that has come back starts its pods again: for a moment nobody answers.
            until kubectl get namespace default -o name {PINNY} 2> /dev/null; do sleep 0.1; done
            until pinniped whoami {PINNY} 2> /dev/null | grep Username; do sleep 0.1; done
            kubectl auth whoami -o jsonpath='{{..username}}' {ADMIN}; echo
            until openssl s_client -connect "$TUTOR_INGRESS" -CAfile ca.pem \\
                -servername impersonation-proxy-mtls.local < /dev/null 2> /dev/null \\
                | grep -m1 -o 'Verify return code: 0.*'; do sleep 0.1; done
            kind get clusters
            yq '.clusters[0].name' kind-with-contour.kubeconfig.yaml
            """,
            cwd=Path.home(),
        )
    finally:
        stop(road.root)
    assert ran.out.splitlines() == [
        "ok",
        "node/kind-with-contour-control-plane",
        "namespace/default",
        "Username: pinny",
        "kubernetes-admin",
        "Verify return code: 0 (ok)",
        "kind-with-contour",
        "kind-kind-with-contour",
    ], ran.err
    assert paths.work_dir(road.root, LESSON.id, PLACE).joinpath("ca.pem").exists()
