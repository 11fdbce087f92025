"""What is written by hand in some hundred lines elsewhere: the media stream comes in, speech is found in it and
transcribed, a reply is written and spoken while it is written, and the caller may break in. (`pip install openai`)

    OPENAI_API_KEY=sk-… offhook serve examples/thirty_lines.py
    offhook ring http://127.0.0.1:8080 --say "What is there to eat tonight?"
"""

from openai import AsyncOpenAI

from offhook import Agent

system = {"role": "system", "content": "You answer the telephone at Bella's. Tonight there is risotto. Be brief."}


async def reply(call, history):
    async with AsyncOpenAI() as openai:
        stream = await openai.chat.completions.create(model="gpt-4o-mini", messages=[system, *history], stream=True)
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


agent = Agent(greeting="Hello, this is Bella's.", stt="openai/whisper-1", llm=reply, tts="openai/gpt-4o-mini-tts")
