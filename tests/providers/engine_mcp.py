"""A small MCP server for the tests, over stdio."""

import asyncio
import os

from mcp.server import MCPServer

server = MCPServer("tables")


@server.tool()
def book(people: int) -> str:
    """Book a table."""
    return f"booked for {people} by {os.getpid()}"


@server.tool()
def die() -> str:
    """Lose the connection."""
    os._exit(3)


@server.tool()
async def dawdle() -> str:
    """Take for ever."""
    await asyncio.sleep(1_000)
    return "late"


if __name__ == "__main__":
    server.run("stdio")
