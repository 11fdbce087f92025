"""A local server that speaks OpenAI's interfaces: stated delays, known words, faults on order, and a log of it all.

    async with LocalOpenAI(Script(transcripts=["two pounds"], replies=["Two pounds it is."])) as server:
        agent = Agent(stt="openai/whisper-1", …)        # with OPENAI_BASE_URL = server.base_url

What it checks, it checks as OpenAI does; what it answers is a script.
"""

from offhook.simulator.openai_server.faults import Fault, Trouble
from offhook.simulator.openai_server.log import Request, Stage
from offhook.simulator.openai_server.script import Pace, Script, ToolUse, Turn
from offhook.simulator.openai_server.server import LocalOpenAI

__all__ = ["Fault", "LocalOpenAI", "Pace", "Request", "Script", "Stage", "ToolUse", "Trouble", "Turn"]
