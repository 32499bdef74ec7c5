from pathlib import Path

from tests.fakes.certs import Authority
from tests.fakes.servers import plain_server, tls_server
from tests.fakes.world import Stage
from tutor.course.model import Grants
from tutor.probes.base import Absent, Blind, Seen
from tutor.probes.dial import Getter
from tutor.probes.grants import limited
from tutor.probes.sources import http

OURS = Authority("my-ca")
ANSWER = b"HTTP/1.1 200 OK\r\nX-Kind: Test\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"


async def test_answer_over_tls_is_read(tmp_path: Path) -> None:
    served = OURS.issue("x", dns=["localhost"])
    async with tls_server(tmp_path, served, answer=ANSWER) as address:
        port = address.rpartition(":")[2]
        url = f"https://localhost:{port}/"
        got = await Getter({}, "").get(url, headers={}, authority=OURS.certificate)
        other = await Getter({}, "").get(url, headers={}, authority=Authority("x").certificate)
    assert not isinstance(got, Absent | Blind)
    assert (got.status, got.headers["x-kind"], got.body) == (200, "Test", "hello")
    assert isinstance(other, Absent)
    assert "certificate" in other.text.lower()


async def test_redirect_is_the_answer_itself() -> None:
    async with plain_server(MOVED) as address:
        got = await Getter({}, "").get(f"http://{address}/", headers={}, authority=None)
    assert not isinstance(got, Absent | Blind)
    assert got.status == 302


async def test_learners_proxy_is_used_but_for_excepted_hosts() -> None:
    proxied = b"HTTP/1.1 418 Proxy\r\nContent-Length: 0\r\n\r\n"
    async with plain_server(proxied) as proxy, plain_server(ANSWER) as address:
        environment = {"http_proxy": f"http://u:token@{proxy}", "NO_PROXY": "127.0.0.1,localhost"}
        through = await Getter(environment, "").get(
            "http://lesson.test/", headers={}, authority=None
        )
        direct = await Getter(environment, "").get(f"http://{address}/", headers={}, authority=None)
    assert not isinstance(through, Absent | Blind)
    assert not isinstance(direct, Absent | Blind)
    assert (through.status, direct.status) == (418, 200)


async def test_nobody_there_is_not_yet() -> None:
    got = await Getter({}, "").get("http://127.0.0.1:1/", headers={}, authority=None)
    assert got == Absent("no answer from http://127.0.0.1:1/: connection refused")


async def test_source_gives_status_headers_and_body(stage: Stage) -> None:
    async with plain_server(ANSWER) as address:
        stage.peers = Getter({}, "")
        spec = http.Spec.model_validate({"url": f"http://{address}/x", "headers": {"A": "b"}})
        reading = await http.read(spec, stage.world, {})
    assert isinstance(reading, Seen)
    assert reading.value["body"] == "hello"
    assert http.watches(spec)[0].address == address


async def test_url_without_a_grant_is_not_asked(stage: Stage) -> None:
    world = limited(stage.world, Grants(hosts=("127.0.0.1:80",)))
    for url in ("http://10.0.0.1/", "https://127.0.0.1/", "http://127.0.0.1@10.0.0.1/"):
        spec = http.Spec.model_validate({"url": url})
        assert isinstance(await http.read(spec, world, {}), Blind)
    assert stage.peers.asked == []
    await http.read(http.Spec.model_validate({"url": "http://127.0.0.1/x"}), world, {})
    assert len(stage.peers.asked) == 1
