import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tutor.sandbox import pki
from tutor.sandbox.process.certificates import Downloads
from tutor.sandbox.process.environment import Addresses, Places, variables, write_files

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def places(root: Path) -> Places:
    return Places(
        home=root,
        bin=root / "bin",
        bundle=root / "bundle.pem",
        wgetrc=root / "wgetrc",
        socket=root / "socket",
    )


def test_kubectl_of_the_shell_is_ours_or_the_chosen_one(tmp_path: Path) -> None:
    where, downloads = places(tmp_path), Downloads(tmp_path / "pki", lambda: NOW)
    link = tmp_path / "bin" / "kubectl"
    own = tmp_path / "theirs" / "kubectl"
    for kubectl, target in (
        (None, Path(sys.executable).parent / "kubectl"),
        (own, own),
        (None, Path(sys.executable).parent / "kubectl"),
    ):
        write_files(where, downloads, {"PATH": "/bin:/usr/bin"}, kubectl)
        assert link.readlink() == target


ADDRESSES = Addresses(proxy=1234, token="secret", ingress=4321)
OURS = "http://shell:secret@127.0.0.1:1234"


def made(root: Path, **own: str) -> dict[str, str | None]:
    return variables(places(root), ADDRESSES, "shell", root / "hosts", own)


def test_every_way_to_name_a_proxy_names_ours(tmp_path: Path) -> None:
    found = made(tmp_path, HTTPS_PROXY="http://corp:3128", http_proxy="http://corp:3128")
    names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "TUTOR_PROXY")
    assert {found[name] for name in names} == {OURS}
    assert found["TUTOR_UPSTREAM_PROXY"] == "http://corp:3128"


def test_environment_made_within_ours_keeps_the_proxy_behind_it(tmp_path: Path) -> None:
    outer = made(tmp_path, https_proxy="http://corp:3128", PATH="/bin")
    inner = made(tmp_path, **{name: value for name, value in outer.items() if value is not None})
    assert inner == outer


def test_environment_without_a_proxy_has_none_behind_ours(tmp_path: Path) -> None:
    assert made(tmp_path)["TUTOR_UPSTREAM_PROXY"] is None


def test_loopback_goes_round_the_proxy_with_what_went_round_it_before(tmp_path: Path) -> None:
    found = made(tmp_path, NO_PROXY="corp.example.org,127.0.0.1,.internal")
    assert found["NO_PROXY"] == found["no_proxy"]
    excluded = (found["NO_PROXY"] or "").split(",")
    assert {"localhost", "127.0.0.1", "::1", "corp.example.org", ".internal"} <= {*excluded}
    assert excluded.count("127.0.0.1") == 1


def test_commands_come_first_and_once_on_the_path(tmp_path: Path) -> None:
    ours = str(tmp_path / "bin")
    found = made(tmp_path, PATH=f"/usr/bin:{ours}::/bin")
    assert found["PATH"] == f"{ours}:/usr/bin:/bin"
    assert made(tmp_path)["PATH"]


def test_folder_of_certificates_does_not_count_beside_the_bundle(tmp_path: Path) -> None:
    found = made(tmp_path, SSL_CERT_DIR="/etc/ssl/certs")
    assert found["SSL_CERT_DIR"] is None
    assert found["SSL_CERT_FILE"] == found["CURL_CA_BUNDLE"] == str(tmp_path / "bundle.pem")


def test_bundle_and_wgetrc_hold_the_learner_s_own_as_well(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path / "pki", lambda: NOW)
    authority = pki.new_authority("corp", now=NOW, lifetime=timedelta(days=1))
    (tmp_path / "corp.pem").write_text(authority.pem)
    (tmp_path / "corp.wgetrc").write_text("ca_certificate = /x\ntries = 3\n")
    own = {"SSL_CERT_FILE": str(tmp_path / "corp.pem"), "WGETRC": str(tmp_path / "corp.wgetrc")}
    write_files(places(tmp_path), downloads, own, None)
    bundle = (tmp_path / "bundle.pem").read_text()
    assert authority.pem.strip() in bundle
    assert (tmp_path / "wgetrc").read_text().splitlines() == [
        "tries = 3",
        f"ca_certificate = {tmp_path / 'bundle.pem'}",
    ]


def test_yq_of_the_machine_is_asked_what_it_is_once(tmp_path: Path) -> None:
    theirs, asked = tmp_path / "theirs" / "yq", tmp_path / "asked"
    theirs.parent.mkdir()
    theirs.write_text(f"#!/bin/sh\necho >> {asked}\necho yq by mikefarah\n")
    theirs.chmod(0o700)
    where, downloads = places(tmp_path), Downloads(tmp_path / "pki", lambda: NOW)
    own = {"PATH": f"{theirs.parent}:/bin:/usr/bin"}
    for _ in range(3):
        write_files(where, downloads, own, None)
        assert f"exec {theirs}" in (tmp_path / "bin" / "yq").read_text()
    assert asked.read_text() == "\n"


def test_yq_that_became_another_is_asked_again(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs" / "yq"
    theirs.parent.mkdir()
    where, downloads = places(tmp_path), Downloads(tmp_path / "pki", lambda: NOW)
    for number, words in enumerate(("yq by mikefarah", "yq 3.1.0")):
        theirs.write_text(f"#!/bin/sh\necho {words}\n")
        theirs.chmod(0o700)
        os.utime(theirs, (number, number))
        write_files(where, downloads, {"PATH": f"{theirs.parent}:/bin:/usr/bin"}, None)
    assert str(theirs) not in (tmp_path / "bin" / "yq").read_text()
