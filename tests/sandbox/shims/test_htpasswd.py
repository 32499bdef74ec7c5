"""The htpasswd command. Source: Apache HTTP Server 2.4, support/htpasswd.c."""

import subprocess
import sys
from pathlib import Path

import bcrypt
import pytest

from tutor.sandbox.shims import htpasswd

COMMAND = [sys.executable, "-I", str(Path(htpasswd.__file__))]


def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
    """Run the command without a terminal; `typed` stands on its stdin."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_htpasswd_for_the_posts_command_prints_a_bcrypt_record_and_an_empty_line() -> None:
    code, out, err = run("-nbBC", "10", "x", "password123")
    assert (code, err) == (0, "")
    assert out.endswith("\n\n")
    user, _, kept = out.strip().partition(":")
    assert (user, kept[:7], len(kept)) == ("x", "$2y$10$", 60)
    assert bcrypt.checkpw(b"password123", kept.encode())


@pytest.mark.parametrize(
    ("letters", "start"),
    [
        (["-nbB"], "$2y$05$"),
        (["-n", "-b", "-B", "-C4"], "$2y$04$"),
        (["-nb", "-C", "4", "-B"], "$2y$04$"),
        (["-nb"], "$apr1$"),
        (["-nbm"], "$apr1$"),
        (["-nbs"], "{SHA}y/2sYAj5yrQIN4TL0YdPdmGNKpc="),
    ],
)
def test_htpasswd_letters_choose_the_algorithm(letters: list[str], start: str) -> None:
    code, out, err = run(*letters, "u", "pw1")
    assert (code, err) == (0, "")
    if start.startswith("{SHA}"):
        assert out.startswith("u:{SHA}")
    assert out.partition(":")[2].startswith(start[:5])


def test_htpasswd_md5_is_apaches() -> None:
    # Both recorded from `openssl passwd -apr1 -salt`.
    assert htpasswd._md5("password123", "abcdefgh") == "$apr1$abcdefgh$NpGqt/j3qiYVyTo0Gid3P1"
    assert htpasswd._md5("", "abcdefgh") == "$apr1$abcdefgh$L.PT565ESX4Tp2bqNs7Ie."


def test_htpasswd_reads_the_password_from_stdin_or_asks_twice() -> None:
    _, out, _ = run("-niBC", "4", "u", typed="secret\n")
    assert bcrypt.checkpw(b"secret", out.strip().partition(":")[2].encode())
    code, out, err = run("-nBC", "4", "u", typed="secret\nsecret\n")
    assert bcrypt.checkpw(b"secret", out.strip().partition(":")[2].encode())
    assert (code, err) == (0, "New password: \nRe-type new password: \n")
    code, out, err = run("-nBC", "4", "u", typed="secret\nother\n")
    assert (code, out) == (3, "")
    assert err.endswith("htpasswd: password verification error\n")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "Usage:\n\thtpasswd [-c"),
        (["-nb", "x"], 2, "Usage:\n"),
        (["-nbB", "x", "p", "extra"], 2, "Usage:\n"),
        (["-x", "f", "u"], 2, "Usage:\n"),
        (["--help"], 2, "Usage:\n"),
        (["-nbBC"], 2, "Usage:\n"),
        (
            ["-nbBC", "ten", "x", "p"],
            2,
            "htpasswd: argument to -C must be a positive integer\n",
        ),
        (
            ["-nbBC", "3", "x", "p"],
            3,
            "htpasswd: Unable to encode with bcrypt: Invalid argument\n",
        ),
        (
            ["-nbBC", "18", "x", "p"],
            3,
            "htpasswd: Unable to encode with bcrypt: Invalid argument\n",
        ),
        (["-nc", "x"], 2, "htpasswd: only one of -c -n -v -D may be specified\n"),
        (["-nbB", "a:b", "p"], 6, "htpasswd: username contains illegal character ':'\n"),
        (["-nbB", "a" * 256, "p"], 5, "htpasswd: username too long (>255)\n"),
        (["-nbB", "a", "p" * 256], 5, "htpasswd: password too long (>255)\n"),
        (["-nbd", "a", "p"], 2, "htpasswd: this htpasswd has no CRYPT: use -B"),
        (["-nb5", "a", "p"], 2, "htpasswd: this htpasswd has no SHA-512: use -B"),
        (
            ["-bB", "none", "a", "p"],
            1,
            "htpasswd: cannot modify file none; use '-c' to create it\n",
        ),
    ],
)
def test_htpasswd_that_is_wrong_says_so_with_apaches_exit_code(
    arguments: list[str], code: int, text: str
) -> None:
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert err.startswith(text)


def test_htpasswd_warns_where_apache_does() -> None:
    code, out, err = run("-nbpC", "5", "u", "clear")
    assert (code, out) == (0, "u:clear\n\n")
    assert err == (
        "Warning: storing passwords as plain text might just not work on this platform.\n"
        "Warning: Ignoring -C argument for this algorithm.\n"
    )


def test_htpasswd_keeps_a_file(home: Path) -> None:
    assert run("-cbs", "f", "a", "one") == (0, "", "Adding password for user a\n")
    assert run("-bBC", "4", "f", "b", "two") == (0, "", "Adding password for user b\n")
    assert run("-bm", "f", "a", "three") == (0, "", "Updating password for user a\n")
    lines = (home / "f").read_text().splitlines()
    assert [line.partition(":")[2][:4] for line in lines] == ["$apr", "$2y$"]
    assert run("-vb", "f", "a", "three") == (0, "", "Password for user a correct.\n")
    assert run("-vb", "f", "b", "two") == (0, "", "Password for user b correct.\n")
    assert run("-vb", "f", "b", "x") == (3, "", "password verification failed\n")
    assert run("-vb", "f", "c", "x") == (6, "", "User c not found\n")
    assert run("-D", "f", "a") == (0, "", "Deleting password for user a\n")
    assert run("-D", "f", "a") == (0, "", "User a not found\n")
    assert (home / "f").read_text().startswith("b:$2y$")


def test_htpasswd_leaves_comments_and_refuses_other_files(home: Path) -> None:
    (home / "f").write_text("# mine\n\nx:y\n")
    assert run("-bs", "f", "a", "one")[0] == 0
    assert (home / "f").read_text().startswith("# mine\n\nx:y\na:{SHA}")
    (home / "g").write_text("hello\n")
    assert run("-bs", "g", "a", "one") == (
        7,
        "",
        "htpasswd: The file g does not appear to be a valid htpasswd file.\n",
    )
    assert (home / "g").read_text() == "hello\n"
