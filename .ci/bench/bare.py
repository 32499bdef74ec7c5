"""The first yardstick: an aiohttp handler over TLS that returns bytes which it was given.

Started as a module with a folder of keys; prints its port, and ends with its standard input.
"""

import asyncio
import ssl
import sys
from pathlib import Path

from aiohttp import web

_TEXT = "application/json"


async def serve(keys: Path) -> None:
    """Serve until standard input ends."""
    bodies: dict[str, bytes] = {}

    async def keep(request: web.Request) -> web.Response:
        bodies[request.match_info["name"]] = await request.read()
        return web.Response()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=bodies[request.match_info["name"]], content_type=_TEXT)

    application = web.Application()
    application.router.add_put("/{name}", keep)
    for method in ("GET", "POST", "PATCH"):
        application.router.add_route(method, "/{name}", answer)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=keys / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(keys / "apiserver.crt", keys / "apiserver.key")
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
