"""The real `pinniped` command in the place of ours, against the sandbox's Concierge.

Both do the same in the same cluster, one after the other, each with a home of its own, and must
print the same, exit alike and write the same files.
"""

import shlex
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.commands import Ran, User, user_at
from tests.interop.programs import PINNIPED
from tests.interop.rules import normal
from tests.interop.worlds import MANIFESTS, built, difference

pytestmark = pytest.mark.timeout(300)

HOST, FILE = "impersonation-proxy-mtls.local", "pinniped-kubeconfig.yaml"
POST = (
    "pinniped get kubeconfig --static-token pinny:password123"
    " --concierge-authenticator-type webhook"
    " --concierge-authenticator-name local-user-authenticator --concierge-mode ImpersonationProxy"
    ' --kubeconfig "$ADMIN"'
)
INSTALL = " ".join(
    f"--filename {MANIFESTS / file}"
    for file in (
        "certmanager/manifests/cert-manager.yaml",
        "contour/manifests/contour.yaml",
        "localuser/manifests/install-local-user-authenticator.yaml",
        "concierge/manifests/install-pinniped-concierge-crds.yaml",
    )
)
CONCIERGE = MANIFESTS / "concierge" / "manifests" / "install-pinniped-concierge-resources.yaml"
CLUSTER = f"""
set -e
kubectl apply {INSTALL} > install.log
kubectl apply --filename {CONCIERGE} >> install.log
for namespace in cert-manager projectcontour local-user-authenticator pinniped-concierge; do
  kubectl wait --for=condition=Available deployment --all -n "$namespace" --timeout=60s
done
kubectl create secret generic pinny -n local-user-authenticator \
  --from-literal=groups=group-for-mtls \
  --from-literal=passwordHash="$(htpasswd -nbBC 10 x password123 | sed -e 's/^x://')"
kubectl wait --for=jsonpath='{{.data.caCertificate}}' -n local-user-authenticator \
  secret/local-user-authenticator-tls-serving-certificate --timeout=60s
kubectl apply -f - << EOF
apiVersion: authentication.concierge.pinniped.dev/v1alpha1
kind: WebhookAuthenticator
metadata: {{name: local-user-authenticator}}
spec:
  endpoint: https://local-user-authenticator.local-user-authenticator.svc/authenticate
  tls:
    certificateAuthorityData: $(kubectl get secret -n local-user-authenticator \
      local-user-authenticator-tls-serving-certificate -o jsonpath='{{.data.caCertificate}}')
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {{name: selfsigned}}
spec: {{selfSigned: {{}}}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: ca, namespace: cert-manager}}
spec:
  isCA: true
  commonName: my-selfsigned-ca
  secretName: ca
  issuerRef: {{name: selfsigned, kind: ClusterIssuer}}
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {{name: ca}}
spec: {{ca: {{secretName: ca}}}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: serving, namespace: pinniped-concierge}}
spec:
  secretName: serving
  dnsNames: [{HOST}]
  issuerRef: {{name: ca, kind: ClusterIssuer}}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {{name: impersonation-proxy, namespace: pinniped-concierge}}
spec:
  virtualhost: {{fqdn: {HOST}, tls: {{passthrough: true}}}}
  tcpproxy:
    services: [{{name: pinniped-concierge-impersonation-proxy-cluster-ip, port: 443}}]
EOF
kubectl wait --for=condition=Ready certificate/serving -n pinniped-concierge --timeout=60s
ca="$(kubectl get secret ca -n cert-manager -o jsonpath='{{.data.ca\\.crt}}')"
kubectl patch credentialissuer pinniped-concierge-config --type merge --patch \
  '{{"spec": {{"impersonationProxy": {{"mode": "enabled", "externalEndpoint": "{HOST}",
  "service": {{"type": "ClusterIP"}},
  "tls": {{"certificateAuthorityData": "'"$ca"'", "secretName": "serving"}}}}}}}}'
kubectl wait --for=jsonpath='{{.status.strategies[1].status}}'=Success \
  credentialissuer/pinniped-concierge-config --timeout=60s
echo "127.0.0.1 {HOST}" > "$TUTOR_HOSTS"
"""


@dataclass(frozen=True, slots=True)
class Side:
    """A learner with one of the two commands."""

    user: User
    folder: Path
    """Where they work; their home is below."""
    programs: Path | None
    """A folder that leads the PATH."""

    def run(self, script: str) -> Ran:
        """Run a script, without what may differ."""
        home = self.folder / "home"
        lines = [f"export ADMIN={shlex.quote(str(self.user.home / 'kubeconfig'))} HOME={home}"]
        if self.programs is not None:
            lines.append(f'export PATH={self.programs}:"$PATH"')
        ran = self.user.terminal("\n".join([*lines, script]), cwd=self.folder)
        return Ran(ran.exit, self._here(ran.out), self._here(ran.err))

    def _here(self, text: str) -> str:
        return normal(text.replace(str(self.folder), "FOLDER"))

    def text(self, name: str) -> str:
        """A file, without what may differ; empty when there is none."""
        file = self.folder / name
        return self._here(file.read_text()) if file.exists() else ""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both of them."""

    ours: Side
    theirs: Side

    def play(self, script: str, *files: str, exits: int = 0) -> Ran:
        """Run a script as both, see that all is the same; what ours printed."""
        ours, theirs = (
            (side.run(script), [side.text(file) for file in files])
            for side in (self.ours, self.theirs)
        )
        if ours != theirs:
            pytest.fail(f"{script}\n{difference(ours, theirs)}")
        assert ours[0].exit == exits, ours[0].err
        return ours[0]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[User, Path]]:
    """A cluster in which the Concierge serves with a certificate of cert-manager's."""
    real = built(PINNIPED)
    folder = tmp_path_factory.mktemp("pinniped")
    (programs := folder / "programs").mkdir()
    shutil.copy(real, programs / "pinniped")
    with user_at(folder / "tutor") as user:
        up = user.tutor("sandbox", "up", "--pace", "instant")
        assert up.exit == 0, up.err
        made = user.terminal(CLUSTER, cwd=folder)
        assert made.exit == 0, made.out + made.err
        yield user, programs


@pytest.fixture
def both(cluster: tuple[User, Path], tmp_path: Path) -> Sides:
    """Two learners who have written nothing yet."""
    user, programs = cluster
    folders = [tmp_path / name for name in ("ours", "theirs")]
    for folder in folders:
        (folder / "home").mkdir(parents=True)
    return Sides(Side(user, folders[0], None), Side(user, folders[1], programs))


@pytest.fixture
def logged_in(both: Sides) -> Sides:
    """Two learners with the post's kubeconfig."""
    both.play(f"{POST} > {FILE}", FILE)
    return both


def test_both_write_the_kubeconfig_of_the_post(logged_in: Sides) -> None:
    assert f"server: https://{HOST}" in logged_in.ours.text(FILE)


@pytest.mark.parametrize(
    "more",
    [
        "--skip-validation",
        "--generated-name-suffix -mine",
        "--static-token-env TOKEN",
        "--concierge-credential-issuer pinniped-concierge-config",
        "--concierge-skip-wait",
        "--credential-cache ''",
        "--install-hint 'get it'",
        "--output written.yaml",
    ],
)
def test_both_understand_flags_that_the_post_does_not_use(both: Sides, more: str) -> None:
    script = (
        POST if "static-token" not in more else POST.replace("--static-token pinny:password123", "")
    )
    both.play(f"export TOKEN=pinny:password123; {script} {more}", "written.yaml")


def test_both_take_the_signing_key_without_a_mode(both: Sides) -> None:
    both.play(POST.replace("--concierge-mode ImpersonationProxy", ""))


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("local-user-authenticator", "nobody"),
        ("webhook", "jwt"),
        ("webhook", "postal"),
        ("ImpersonationProxy", "Telepathy"),
        ('"$ADMIN"', "nowhere.yaml"),
        ("--kubeconfig", "--kubeconfg"),
        ("--static-token pinny:password123", ""),
        ("get kubeconfig", "get kubeconfig --kubeconfig-context nowhere"),
        ("get kubeconfig", "get kubeconfig --concierge-credential-issuer nobody"),
        ("get kubeconfig", "get kubeconfig --concierge-ca-bundle nowhere.pem"),
        ("get kubeconfig", "get kubeconfig --timeout forever"),
        ("get kubeconfig", "get nothing"),
    ],
)
def test_both_refuse_what_cannot_be_in_the_same_words(both: Sides, change: str, to: str) -> None:
    assert change in POST
    both.play(f"{POST.replace(change, to)} > {FILE}", FILE, exits=1)


def test_both_log_in_for_kubectl_and_are_forbidden_as_pinny(logged_in: Sides) -> None:
    ran = logged_in.play(f"kubectl get pods -A --kubeconfig {FILE}", exits=1)
    assert 'User "pinny" cannot list resource "pods"' in ran.err
    logged_in.play(f"kubectl auth whoami --kubeconfig {FILE}")
    logged_in.play("true", "home/.config/pinniped/credentials.yaml")


@pytest.mark.parametrize("form", ["", "-o yaml", "-o json", "-o text", "-o prose"])
def test_both_say_who_you_are(logged_in: Sides, form: str) -> None:
    script = f"pinniped whoami --kubeconfig {FILE} {form}"
    ran = logged_in.play(script, exits=1 if "prose" in form else 0)
    assert "prose" in form or "pinny" in ran.out
    logged_in.play(
        f'pinniped whoami --kubeconfig "$ADMIN" {form}', exits=1 if "prose" in form else 0
    )


def test_both_are_refused_with_a_wrong_password(logged_in: Sides) -> None:
    logged_in.play(f"sed -i -e s/password123/password124/ {FILE}")
    logged_in.play(f"kubectl get pods -A --kubeconfig {FILE}", exits=1)
    logged_in.play(f"pinniped whoami --kubeconfig {FILE}", exits=1)


def test_both_refuse_a_server_of_another_ca(logged_in: Sides) -> None:
    path = "{..certificate-authority-data}"
    other = f"$(kubectl config view --kubeconfig $ADMIN --raw -o jsonpath='{path}')"
    logged_in.play(
        f'sed -i -E -e "s/(ca-bundle-data=|certificate-authority-data: ).*/\\1{other}/" {FILE}',
        FILE,
    )
    logged_in.play(f"kubectl get pods -A --kubeconfig {FILE}", exits=1)
    logged_in.play(f"pinniped whoami --kubeconfig {FILE}", exits=1)


def test_both_miss_the_name_of_the_proxy(logged_in: Sides) -> None:
    script = 'mv "$TUTOR_HOSTS" hosts; {}; ended=$?; mv hosts "$TUTOR_HOSTS"; exit $ended'
    logged_in.play(script.format(f"kubectl get pods -A --kubeconfig {FILE}"), exits=1)
    logged_in.play(script.format(f"{POST} --timeout 3s"), exits=1)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--enable-concierge --token x",
        "--token x --token-env X",
        "--token-env NOT_THERE",
        "--enable-concierge --token x --concierge-endpoint http://a",
        "--token x",
    ],
)
def test_both_plugins_answer_wrong_flags_alike(both: Sides, words: str) -> None:
    both.play(f"pinniped login static {words}", exits=0 if words == "--token x" else 1)
