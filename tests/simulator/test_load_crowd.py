"""Callers who ring all at once."""

import asyncio
from urllib.parse import parse_qs

from offhook.simulator.load.crowd import Crowd, Plan
from offhook.simulator.load.profile import Profile


def test_no_two_crowds_ring_with_the_same_ids_and_none_waits_where_nobody_is_let_in() -> None:
    calls: list[str] = []

    async def engaged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split()[0])
        calls.extend(parse_qs((await reader.readexactly(size)).decode())["CallSid"])
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with await asyncio.start_server(engaged, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/voice"
            plan = Plan(url, 3, Profile(b"", bytes(160)), ramp=0.0, warm=60.0, seconds=60.0)
            for _ in range(2):
                crowd = Crowd(plan)
                await crowd.ring()
                began = loop.time()
                await crowd.warm_up()
                assert (await crowd.measure()).refused == 3
                assert loop.time() - began < 1, "there is nobody to wait for"
                crowd.hang_up()

    asyncio.run(story())
    assert len(set(calls)) == len(calls) == 6
