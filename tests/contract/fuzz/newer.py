"""Connections of HTTP/2 that do not behave: each kind ends with a ping that has to be answered.

Sources: RFC 9113, section 10.5; the floods of 2019 and 2023 (CVE-2019-9511 to 9518, CVE-2023-44487)
and that of CONTINUATION frames (2024).
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from hpack import Decoder, HPACKError

from tests.contract.fuzz.asking import Asked
from tests.contract.fuzz.frames import (
    CLOSED,
    MOST,
    OPEN,
    PREFACE,
    Kind,
    frame,
    head,
    literal,
    request,
    settings,
)
from tests.contract.fuzz.wire import STREAM_S, Answer

_PATIENCE_S = 30.0
_PING = b"answerme"
_FRAME_HEAD = 9
_SIZES = (0, 1, 5, 100, 4_096, 16_384, 16_385, 2**24 - 1)
_VALUES = (0, 1, 2, 16_383, 16_384, 65_535, 2**24 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_POST = {":method": "POST", ":path": "/api/v1/namespaces/fuzz-a/configmaps"}
_LONG = {":path": "/openapi/v2"}
_WATCH = {":path": "/api/v1/namespaces/fuzz-a/configmaps?watch=true&timeoutSeconds=7200"}
Parts = Iterator[bytes]


def _noise(chance: Random, scale: int) -> Parts:
    del scale
    yield chance.randbytes(chance.randrange(1, 3_000))


def _odd_frames(chance: Random, scale: int) -> Parts:
    for _ in range(scale // 10):
        kind, stream = chance.randrange(13), chance.choice((0, 1, 2, 3, 5, 7, 99, 2**31 - 1))
        size = chance.choice(_SIZES[:5])
        told = chance.choice((size, size, size, *_SIZES))
        yield frame(kind, chance.randrange(256), stream, chance.randbytes(size), told)


def _bent_frames(chance: Random, scale: int) -> Parts:
    """A good conversation with a few bits of it turned."""
    whole = bytearray(settings({3: 100}))
    for number in range(1, scale // 5, 2):
        whole += request(number, _POST, end=False) + frame(Kind.DATA, 1, number, b"{}")
        whole += frame(Kind.WINDOW_UPDATE, 0, number, b"\0\0\x10\0") + request(number + 2)
    for _ in range(chance.randrange(1, 6)):
        whole[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    yield bytes(whole)


def _rapid_reset(chance: Random, scale: int) -> Parts:
    for number in range(1, 2 * scale * 4, 2):
        made = request(number, chance.choice(({}, _POST, _LONG, _WATCH)), end=True)
        yield made + frame(Kind.RST_STREAM, 0, number, b"\0\0\0\x08")


def _reset_by_us(chance: Random, scale: int) -> Parts:
    """Streams that the server itself has to reset: the other side of a rapid reset."""
    for number in range(1, 2 * scale, 2):
        wrong = chance.choice(({":path": "x"}, {"Upper": "x"}, {"connection": "x"}, {":odd": "x"}))
        yield request(number, wrong) + frame(Kind.WINDOW_UPDATE, 0, number, b"\0\0\0\0")


def _continuation_flood(chance: Random, scale: int) -> Parts:
    yield frame(Kind.HEADERS, 1, 1, head({}))
    part = chance.choice((b"", literal("x", "y" * 9_000)))
    for _ in range(scale * 10):
        yield frame(Kind.CONTINUATION, 0, 1, part)


def _header_flood(chance: Random, scale: int) -> Parts:
    """Lists that grow as they are read: one long entry in the table, named again and again."""
    block = head({}) + b"\x40" + literal("x", "y" * 4_000)[1:] + b"\xbe" * scale * 30
    yield from _cut(block, chance.choice((100, 16_000)), 1)


def _many_headers(chance: Random, scale: int) -> Parts:
    block = head({}) + b"".join(literal(f"x{n}", "") for n in range(scale * 20))
    yield from _cut(block, chance.choice((4_000, 16_000)), 1)


def _cut(block: bytes, size: int, stream: int) -> Parts:
    parts = [block[at : at + size] for at in range(0, len(block), size)]
    for number, part in enumerate(parts):
        last = OPEN if number == len(parts) - 1 else 0
        kind, flags = (Kind.CONTINUATION, 0) if number else (Kind.HEADERS, 1)
        yield frame(kind, flags | last, stream, part)


def _bad_table(chance: Random, scale: int) -> Parts:
    """Blocks that say impossible things of the table."""
    blocks = (
        b"\x80",
        b"\xff\xff\xff\xff\xff\x7f",
        b"\x3f\xff\xff\xff\x7f",
        b"\x20" * scale,
        b"\x40",
    )
    yield frame(Kind.HEADERS, CLOSED, 1, chance.choice(blocks) + head({}))


def _settings_flood(chance: Random, scale: int) -> Parts:
    for number in range(scale * 10):
        code = chance.choice((1, 1, 3, 4, 6, 8, number % 65_536))
        yield settings({code: chance.choice(_VALUES)}) if number % 10 == 9 else settings({})


def _table_flood(chance: Random, scale: int) -> Parts:
    """Sizes of the server's table, each of which it would have to tell; and then a request."""
    del chance
    for number in range(scale * 10):
        yield settings({1: number * 7 % 65_536})
    yield settings({1: 2**32 - 1})
    for number in range(1, 2 * scale, 2):
        yield request(number)


def _odd_settings(chance: Random, scale: int) -> Parts:
    del scale
    told = {chance.randrange(10): chance.choice(_VALUES) for _ in range(3)}
    yield settings(told) + request(1, _LONG) + settings({4: chance.choice(_VALUES)})
    yield chance.choice((frame(Kind.SETTINGS, 1, 0, b"x"), frame(Kind.SETTINGS, 0, 0, b"12345")))


def _ping_flood(chance: Random, scale: int) -> Parts:
    for _ in range(scale * 20):
        yield frame(Kind.PING, 0, 0, chance.randbytes(8))


def _empty_flood(chance: Random, scale: int) -> Parts:
    """Frames that hold nothing and end nothing."""
    yield request(1, _POST, end=False)
    padded = frame(Kind.DATA, 8, 1, b"\x05" + bytes(5))
    for _ in range(scale * 10):
        yield chance.choice((frame(Kind.DATA, 0, 1), padded, frame(Kind.PRIORITY, 0, 9, bytes(5))))


def _stalled_windows(chance: Random, scale: int) -> Parts:
    """Long answers that there is no window for, but for a byte now and then."""
    yield settings({4: chance.choice((0, 1, 10))})
    for number in range(1, 60, 2):
        yield request(number, chance.choice((_LONG, _WATCH, {})))
    for number in range(scale):
        yield frame(Kind.WINDOW_UPDATE, 0, 2 * (number % 30) + 1, b"\0\0\0\x01")


def _overflowing_windows(chance: Random, scale: int) -> Parts:
    del scale
    yield request(1, _WATCH)
    for _ in range(3):
        yield frame(Kind.WINDOW_UPDATE, 0, chance.choice((0, 1)), b"\x7f\xff\xff\xff")


def _trailers(chance: Random, scale: int) -> Parts:
    del scale
    yield request(1, _POST, end=False) + frame(Kind.DATA, 0, 1, b'{"metadata":{}}')
    block = literal(chance.choice(("x", ":status", "", "Content-Length", "te")), "1")
    yield frame(Kind.HEADERS, chance.choice((CLOSED, OPEN)), 1, block)
    yield frame(Kind.DATA, 1, 1, b"after all")


def _open_streams(chance: Random, scale: int) -> Parts:
    """Requests whose bodies never come, up to as many as there may be, and past that."""
    for number in range(1, 2 * chance.choice((100, 101, scale)), 2):
        yield request(number, _POST, end=False)


def _lying_bodies(chance: Random, scale: int) -> Parts:
    del scale
    for number in (1, 3, 5):
        length = chance.choice(("0", "1", "99999999999", "-1", "x", "1, 2"))
        yield request(number, {**_POST, "content-length": length}, end=False)
        yield frame(Kind.DATA, 1, number, b"{}")


def _large_bodies(chance: Random, scale: int) -> Parts:
    """More than is taken, on several streams."""
    streams = range(1, 2 * chance.choice((1, 4)), 2)
    for number in streams:
        yield request(number, _POST, end=False)
    for _ in range(scale // 4):
        for number in streams:
            yield frame(Kind.DATA, 0, number, bytes(16_384))


def _words_of_servers(chance: Random, scale: int) -> Parts:
    del scale
    yield request(1) + frame(
        chance.choice((Kind.PUSH_PROMISE, Kind.GOAWAY, Kind.PING)),
        chance.choice((0, 1, 4)),
        chance.choice((0, 1, 2)),
        b"\0\0\0\x02\0\0\0\0",
    )
    yield request(2) + request(3) + request(1)


def _half_a_goodbye(chance: Random, scale: int) -> Parts:
    yield b"".join(request(number, _LONG) for number in range(1, 20, 2))
    yield frame(Kind.GOAWAY, 0, 0, bytes(8) + chance.randbytes(scale))


KINDS: tuple[Callable[[Random, int], Parts], ...] = (
    _noise, _odd_frames, _bent_frames, _rapid_reset, _reset_by_us, _continuation_flood,
    _header_flood, _many_headers, _bad_table, _settings_flood, _table_flood, _odd_settings,
    _ping_flood, _empty_flood, _stalled_windows, _overflowing_windows, _trailers, _open_streams,
    _lying_bodies, _large_bodies, _words_of_servers, _half_a_goodbye,
)  # fmt: skip


@dataclass(slots=True)
class Heard:
    """What a server has said on one connection, by streams."""

    heads: dict[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])
    """Empty for a stream that was reset."""
    bodies: defaultdict[int, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    done: set[int] = field(default_factory=set[int])
    ended: bool = False
    """Whether it has said goodbye, or gone."""
    ponged: bool = False
    decoder: Decoder = field(default_factory=Decoder)


class Newer:
    """Opens such connections to a port."""

    def __init__(self, port: int, context: ssl.SSLContext, *, scale: int) -> None:
        self._port = port
        self._context = context
        self._context.set_alpn_protocols(["h2"])
        self._scale = scale
        self._kept: list[asyncio.StreamWriter] = []

    async def once(self, number: int, chance: Random) -> str:
        """One connection of the kind whose turn it is; what is wrong with the server."""
        kind = KINDS[number % len(KINDS)]
        why = await self._converse(kind(chance, self._scale), reads=chance.random() < 0.8)
        return f"{kind.__name__}: {why}" if why else ""

    async def ask(self, asked: Sequence[Asked]) -> dict[int, Answer]:
        """Ask many things on one connection at once; answers by the places of their questions.

        There is none to what was reset, and of streams there is what came at once.
        """
        parts = [request(2 * n + 1, _lines(each), each.body) for n, each in enumerate(asked)]
        heard = Heard()
        reader, writer = await self._open()
        try:
            writer.write(PREFACE + settings({4: 2**31 - 1}) + b"".join(parts))
            writer.write(frame(Kind.WINDOW_UPDATE, 0, 0, b"\x7f\0\0\0"))
            async with asyncio.timeout(_PATIENCE_S):
                while len(heard.heads) < len(asked) and not heard.ended:
                    await self._hear(reader, writer, heard)
            async with asyncio.timeout(STREAM_S):
                while len(heard.done) < len(asked) and not heard.ended:
                    await self._hear(reader, writer, heard)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
        return {
            (stream - 1) // 2: Answer(
                int(lines[":status"]), lines, bytes(heard.bodies[stream]), stream in heard.done
            )
            for stream, lines in heard.heads.items()
            if lines
        }

    async def keep_full(self, count: int) -> None:
        """Connections with as many watches as there may be, of which nobody reads anything."""
        for _ in range(count):
            _, writer = await self._open()
            watches = (request(number, _WATCH) for number in range(1, 201, 2))
            writer.write(PREFACE + settings({4: 0}) + b"".join(watches))
            await writer.drain()
            writer.transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue] - reads, too
            self._kept.append(writer)

    def close(self) -> None:
        """End what was kept."""
        for writer in self._kept:
            writer.transport.abort()

    async def _converse(self, parts: Parts, *, reads: bool) -> str:
        reader, writer = await self._open()
        heard, why = Heard(), ""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                writer.write(PREFACE + settings({}))
                async with asyncio.TaskGroup() as group:
                    listening = group.create_task(self._listen(reader, writer, heard))
                    if not reads:
                        listening.cancel()
                    for part in parts:
                        if writer.is_closing():
                            break
                        writer.write(part)
                        await asyncio.sleep(0)
                        if writer.transport.get_write_buffer_size() > 65_536:
                            # Who does not read is not read from either, in the end.
                            await asyncio.wait_for(writer.drain(), _PATIENCE_S if reads else 0.5)
                    # Half a frame is waited for: what follows the ping ends any, and is none.
                    writer.write(frame(Kind.PING, 0, 0, _PING) + bytes(2 * MOST))
        except* (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            heard.ended = True
        except* TimeoutError:
            why = "" if heard.ended or not reads else "neither an answer nor a goodbye"
        except* HPACKError as error:
            why = f"a block of headers that cannot be read: {error.exceptions}"
        finally:
            writer.transport.abort()
        if why:
            return why
        statuses = {lines.get(":status", "") for lines in heard.heads.values()}
        wrong = [status for status in statuses if status.startswith("5")]
        return f"answers {wrong}" if wrong else ""

    async def _listen(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Heard
    ) -> None:
        """Read until the ping is answered, or there is no more."""
        while not heard.ponged and not heard.ended:
            await self._hear(reader, writer, heard)

    async def _hear(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Heard
    ) -> None:
        start = await reader.readexactly(_FRAME_HEAD)
        payload = await reader.readexactly(int.from_bytes(start[:3], "big"))
        stream = int.from_bytes(start[5:], "big")
        match start[3]:
            case Kind.HEADERS:
                lines = {str(n): str(v) for n, v in heard.decoder.decode(payload)}
                if not lines.get(":status", "").startswith("1"):
                    heard.heads.setdefault(stream, lines)
            case Kind.DATA:
                heard.bodies[stream] += payload
            case Kind.PING:
                heard.ponged = payload == _PING
            case Kind.RST_STREAM:
                heard.heads.setdefault(stream, {})
                heard.done.add(stream)
            case Kind.GOAWAY:
                heard.ended = True
            case Kind.SETTINGS if not start[4]:
                writer.write(frame(Kind.SETTINGS, 1, 0))
            case _:
                return
        if start[3] in (Kind.HEADERS, Kind.DATA) and start[4] & 1:
            heard.done.add(stream)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=self._context, server_hostname="localhost"
        )


def _lines(asked: Asked) -> dict[str, str]:
    lines = {":method": asked.method, ":path": asked.target}
    return lines | {name.lower(): value for name, value in asked.headers if name != "Host"}
