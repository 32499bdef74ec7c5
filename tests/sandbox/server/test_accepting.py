"""Connections that are taken on a loopback port."""

import asyncio
import logging

import pytest

from tests.fakes.waiting import until
from tutor.sandbox.server.accepting import accepting


async def test_open_connections_end_with_the_block_begun_or_not() -> None:
    begun = asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        begun.set()
        await reader.read()

    async with accepting(take) as port:
        first = await asyncio.open_connection("127.0.0.1", port)
        await begun.wait()
        late = await asyncio.open_connection("127.0.0.1", port)
    for reader, writer in (first, late):
        assert await reader.read() == b""
        writer.close()


async def test_one_that_is_given_up_is_told_in_the_log_and_the_next_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1) == b"x":
            raise ValueError("no x")
        writer.write(b"fine")

    caplog.set_level(logging.ERROR)
    async with accepting(take) as port:
        for sent, answer in ((b"x", b""), (b"y", b"fine")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            assert await reader.read() == answer
            writer.close()
    await until(lambda: "a connection was given up" in caplog.text)


async def test_port_that_is_taken_is_an_error() -> None:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader, writer

    async with accepting(take) as port:
        with pytest.raises(OSError, match="in use"):
            async with accepting(take, port):
                pass
