"""A mind of your own: an async generator that is given what was said so far and yields text. No model is asked.

OPENAI_API_KEY=sk-… offhook serve examples/own_generator.py
offhook ring http://127.0.0.1:8080 --say "Two coffees, please." --say "And a tea." --say "That is all."
"""

import asyncio

from offhook import Agent

PRICES = {"coffee": 3, "tea": 2, "cake": 4}
COUNTS = {"two": 2, "three": 3, "four": 4}


def order(text):
    """What one turn of the caller asks for: ["coffee", "coffee", "tea"]."""
    words = text.lower().replace(",", "").replace(".", "").split()
    return [
        item
        for before, word in zip(["", *words], words, strict=False)
        for item in PRICES
        if word.startswith(item)
        for _ in range(COUNTS.get(before, 1))
    ]


async def waiter(call, history):
    """Nothing is kept between turns: all that the caller has said is in the history, and only what they have heard."""
    said = [each["content"] for each in history if each["role"] == "user"]
    items = [item for text in said for item in order(text)]
    if "all" in said[-1].lower():
        yield f"That makes {len(items)} things, "
        await asyncio.sleep(0.2)  # a till is asked; what was yielded is being spoken meanwhile
        yield f"{sum(PRICES[item] for item in items)} dollars together. Thank you."
    elif new := order(said[-1]):
        yield f"{', '.join(new)}. Anything else?"
    else:
        yield f"I have {', '.join(PRICES)}. What would you like?"


agent = Agent(
    greeting="Hello, what can I bring you?",
    stt="openai/gpt-4o-transcribe",
    llm=waiter,
    tts="openai/gpt-4o-mini-tts",
)
