import os
from pathlib import Path

import bcrypt
import pytest

from tests.fakes.certs import Authority
from tests.fakes.world import Stage
from tutor.course.model import Grants
from tutor.probes.base import Absent, Blind, Completed, Seen
from tutor.probes.grants import limited
from tutor.probes.process import GrantedCommands
from tutor.probes.sources import command, file, hosts, password, x509


def file_spec(path: str, *, optional: bool = False) -> file.Spec:
    return file.Spec.model_validate({"path": path, "optional": optional})


async def test_file_is_read_with_its_text(stage: Stage) -> None:
    (stage.folder / "a.txt").write_bytes("größe\xff".encode("latin-1"))
    reading = await file.read(file_spec("a.txt"), stage.world, {})
    assert reading == Seen({"text": "gr\ufffd\ufffde\ufffd", "size": 6}, "the file a.txt")


async def test_file_that_is_not_there_is_not_yet_or_null(stage: Stage) -> None:
    assert await file.read(file_spec("a.txt"), stage.world, {}) == Absent(
        "there is no file a.txt in the working folder yet"
    )
    reading = await file.read(file_spec("a.txt", optional=True), stage.world, {})
    assert reading == Seen(None, "the file a.txt")


async def test_file_outside_the_working_folder_is_never_read(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    (stage.folder / "link").symlink_to(tmp_path / "secret")
    (stage.folder / "up").symlink_to(tmp_path)
    for path in ("../secret", "link", "up/secret", str(tmp_path / "secret"), "a/../../secret", "."):
        assert isinstance(await file.read(file_spec(path), stage.world, {}), Blind), path


async def test_link_that_stays_inside_is_followed(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("x", encoding="utf-8")
    (stage.folder / "b.txt").symlink_to("a.txt")
    reading = await file.read(file_spec("b.txt"), stage.world, {})
    assert isinstance(reading, Seen)
    assert reading.value["text"] == "x"


async def test_pipes_folders_and_huge_files_do_not_hold_the_reader(stage: Stage) -> None:
    os.mkfifo(stage.folder / "pipe")
    (stage.folder / "folder").mkdir()
    (stage.folder / "huge").write_bytes(b"x" * 1_000_001)
    assert await file.read(file_spec("pipe"), stage.world, {}) == Absent("pipe is not a file")
    assert await file.read(file_spec("folder"), stage.world, {}) == Absent("folder is not a file")
    assert await file.read(file_spec("huge"), stage.world, {}) == Blind(
        "the file huge has more than 1,000,000 bytes"
    )


async def test_file_without_a_grant_is_not_read(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("x", encoding="utf-8")
    world = limited(stage.world, Grants(files=("*.yaml",)))
    assert await file.read(file_spec("a.txt"), world, {}) == Blind(
        "the lesson has no grant for the file a.txt (`files`)"
    )


async def test_hosts_file_is_read_as_the_system_does(stage: Stage) -> None:
    text = "# 1.1.1.1 a.test\n127.0.0.1 localhost A.test # b.test\n\n::1 a.test\n9\n"
    (stage.folder / "hosts").write_text(text, encoding="utf-8")
    for name, addresses in {"a.test": ["127.0.0.1", "::1"], "b.test": [], "c.test": []}.items():
        spec = hosts.Spec.model_validate({"name": name})
        reading = await hosts.read(spec, stage.world, {})
        assert isinstance(reading, Seen)
        assert reading.value["addresses"] == addresses


async def test_hosts_file_that_is_not_there_has_no_names(stage: Stage) -> None:
    reading = await hosts.read(hosts.Spec.model_validate({"name": "a.test"}), stage.world, {})
    assert isinstance(reading, Seen)
    assert reading.value["addresses"] == []


async def test_password_tells_whether_the_hash_is_of_the_word(stage: Stage) -> None:
    spec = password.Spec.model_validate({"hash": "h", "word": "password123"})
    for word, matches in {b"password123": True, b"other": False}.items():
        hashed = bcrypt.hashpw(word, bcrypt.gensalt(4)).decode()
        reading = await password.read(spec, stage.world, {"hash": hashed})
        assert reading == Seen({"matches": matches}, "the hash in h")
    assert await password.read(spec, stage.world, {"hash": "x"}) == Absent(
        'h: "x" is not a bcrypt hash'
    )


async def test_x509_gives_the_certificate(stage: Stage) -> None:
    spec = x509.Spec.model_validate({"from": "ca.data"})
    reading = await x509.read(spec, stage.world, {"text": Authority("my-ca").certificate})
    assert isinstance(reading, Seen)
    assert reading.value["subject"] == "CN=my-ca"
    assert await x509.read(spec, stage.world, {"text": "hello"}) == Absent(
        'ca.data: "hello" is not base64'
    )


async def test_command_is_run_in_the_working_folder_without_a_shell(tmp_path: Path) -> None:
    runner = GrantedCommands(tmp_path, {"PATH": os.environ["PATH"], "A": "b"})
    got = await runner.run(("sh", "-c", "pwd; echo $A; echo oops >&2; exit 3"))
    assert got == Completed(exit_code=3, output=f"{tmp_path}\nb\n", errors="oops\n")
    assert await runner.run(("echo", "$A; ls")) == Completed(
        exit_code=0, output="$A; ls\n", errors=""
    )
    assert await runner.run(("no-such-command",)) == Blind(
        "there is no command no-such-command on the PATH"
    )


async def test_command_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.probes.process.TIMEOUT_S", 0.1)
    runner = GrantedCommands(tmp_path, {"PATH": os.environ["PATH"]})
    got = await runner.run(("sh", "-c", "sleep 100 & sleep 100"))
    assert got == Blind("`sh -c sleep 100 & sleep 100` did not end within 0.1 s")


async def test_command_without_an_exact_grant_is_not_run(stage: Stage) -> None:
    world = limited(stage.world, Grants(commands=("pinniped version",)))
    for words in (("pinniped", "whoami"), ("pinniped", "version", "-o"), ("pinniped version",)):
        spec = command.Spec.model_validate({"run": words})
        assert isinstance(await command.read(spec, world, {}), Blind)
    assert stage.peers.asked == []
    spec = command.Spec.model_validate({"run": ("pinniped", "version")})
    await command.read(spec, world, {})
    assert stage.peers.asked == [("pinniped", "version")]
