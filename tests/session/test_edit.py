import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tutor.course.model import Edit, Set
from tutor.session.edit import NotEditable, edited
from tutor.session.folder import Outside, WorkingFolder
from tutor.session.script import read_script, write_script

ROOT = Path(__file__).resolve().parents[2]

OPENED = """# Please edit the object below. Lines beginning with a '#' will be ignored,
#
apiVersion: config.concierge.pinniped.dev/v1alpha1
kind: CredentialIssuer
metadata:
  creationTimestamp: "2026-01-02T03:04:05Z"
  name: pinniped-concierge-config
spec:
  impersonationProxy:
    mode: auto
    service:
      type: LoadBalancer
      annotations:
        a/b: "4000"
  ports:
  - name: x
    port: 1
"""


def no_file(path: str) -> str:
    raise AssertionError(path)


def test_changes_are_made_and_the_rest_stays_in_order() -> None:
    changes = (
        Set(path="spec.impersonationProxy.mode", to="enabled"),
        Set(path="spec.impersonationProxy.tls.secretName", to="serving-cert"),
        Set(path="spec.impersonationProxy.tls.ca", source="ca.b64"),
        Set(path="spec.impersonationProxy.service.annotations", remove=True),
        Set(path="spec.ports[0].port", to=2),
        Set(path="spec.ports[1]", to={"name": "y"}),
        Set(path="spec.nothing.here", remove=True),
        Set(path='metadata.labels["a.b/c"]', to="d"),
    )
    text = edited(OPENED, changes, {"ca.b64": "LS0tLS1CRUdJTg==\n"}.__getitem__)
    result = yaml.safe_load(text)
    assert list(result) == ["apiVersion", "kind", "metadata", "spec"]
    assert result["metadata"]["creationTimestamp"] == "2026-01-02T03:04:05Z"
    assert result["metadata"]["labels"] == {"a.b/c": "d"}
    assert result["spec"] == {
        "impersonationProxy": {
            "mode": "enabled",
            "service": {"type": "LoadBalancer"},
            "tls": {"secretName": "serving-cert", "ca": "LS0tLS1CRUdJTg=="},
        },
        "ports": [{"name": "x", "port": 2}, {"name": "y"}],
    }


def test_text_that_is_not_yaml_is_refused() -> None:
    with pytest.raises(NotEditable, match="is not YAML"):
        edited("a: [", (Set(path="a", to=1),), no_file)


def test_position_behind_the_end_is_refused() -> None:
    with pytest.raises(NotEditable, match="only 1 items"):
        edited(OPENED, (Set(path="spec.ports[5].port", to=1),), no_file)


BLOCK = Edit(
    edit="kubectl edit x",
    changes=(
        Set(path="spec.mode", to=None),
        Set(path="spec.ca", source="ca.b64"),
        Set(path="spec.old", remove=True),
    ),
)


def test_script_is_read_back_as_the_changes() -> None:
    assert read_script(write_script(BLOCK)) == BLOCK.changes


def run_editor(script: Path, folder: Path, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tutor.session.editor", str(script), str(folder), str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
    )


def test_editor_changes_the_file_that_it_is_given(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    script, file = tmp_path / "script.json", tmp_path / "edit.yaml"
    script.write_text(write_script(BLOCK), encoding="utf-8")
    file.write_text("spec: {old: 1, keep: 2}\n", encoding="utf-8")
    failed = run_editor(script, folder, file)
    assert failed.returncode == 2
    assert "there is no file ca.b64 in the working folder yet" in failed.stderr
    assert file.read_text(encoding="utf-8") == "spec: {old: 1, keep: 2}\n"
    (folder / "ca.b64").write_text("abc\n", encoding="utf-8")
    assert run_editor(script, folder, file).returncode == 0
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == {
        "spec": {"keep": 2, "mode": None, "ca": "abc"}
    }


def test_file_is_written_below_the_working_folder_and_nowhere_else(tmp_path: Path) -> None:
    root = tmp_path / "work"
    root.mkdir()
    folder = WorkingFolder(root)
    assert folder.write("a/b.yaml", "x: größe\n").read_text(encoding="utf-8") == "x: größe\n"
    folder.write("a/b.yaml", "y\n")
    assert folder.read("a/b.yaml") == b"y\n"
    assert [each.name for each in (root / "a").iterdir()] == ["b.yaml"]
    (root / "out").symlink_to(tmp_path)
    for path in ("../x", str(tmp_path / "x"), "out/x", "a/../../x", ""):
        with pytest.raises(Outside):
            folder.write(path, "x")
    assert not (tmp_path / "x").exists()
