import os
from pathlib import Path

import pytest

from tests.fakes.sandbox_process import sandbox_process
from tutor.cli.commands import run


@pytest.mark.parametrize(
    "peer", ["hook=1", "default/hook", "default/hook=", "default/hook=0", "default/hook=65536"]
)
def test_peer_that_is_none_is_told_how_one_is_written(
    peer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["sandbox", "up", "--peer", peer])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"argument --peer: '{peer}' should be NAMESPACE/SERVICE=PORT" in said


async def test_sandbox_without_a_component_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    up = ["sandbox", "up", "--without", "cert-manager", "--without", "contour"]
    hooks = ["--peer", "cert-manager/cert-manager-webhook=10250", "--peer", "a/b=1"]
    with sandbox_process(Path(os.environ["TUTOR_HOME"])) as process:
        await process.start()
        assert run([*up, *hooks]) == 0
        capsys.readouterr()
        assert run(["sandbox", "status"]) == 0
        assert capsys.readouterr().out.splitlines()[2:] == [
            "    without cert-manager",
            "    without contour",
            "    the Service a/b leads to 127.0.0.1:1",
            "    the Service cert-manager/cert-manager-webhook leads to 127.0.0.1:10250",
        ]
        assert run(["sandbox", "up", "--without", "concierge"]) == 2
        assert "was made with other components or peers" in capsys.readouterr().err
