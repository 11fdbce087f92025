"""Live captions: the caller is put through to somebody, and what the two say appears as text, each under their name.

    OPENAI_API_KEY=sk-… TWILIO_AUTH_TOKEN=… offhook serve examples/captions.py --public-url https://phone.example.com

In another terminal, or from any telephone, call the Twilio number whose voice webhook is
https://phone.example.com/twilio/voice.
"""

from offhook import Agent, Listen

COLLEAGUE = "+493012345678"

# One-way streams are only listened to: mind and voice are never asked. segment="2s" would not wait for a pause.
ears = Agent(stt="openai/gpt-4o-transcribe", llm="scripted", tts="scripted")


@ears.on("user_said")
def caption(call, event):
    speaker = "caller" if event.track == "inbound" else "colleague"
    print(f"{speaker}: {event.text}", flush=True)


async def answer(call):
    return Listen(ears, dial=COLLEAGUE)
