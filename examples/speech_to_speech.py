"""One model in place of ear, mind and voice: it hears the caller's tone, and answers in its own.

OPENAI_API_KEY=sk-… offhook serve examples/speech_to_speech.py
offhook ring http://127.0.0.1:8080 --say "What is there to eat tonight?"
"""

from offhook import Agent

agent = Agent(
    instructions="You answer the telephone at Bella's, a restaurant. Tonight there is risotto. Be brief and cheerful.",
    greeting="Hello, this is Bella's.",
    speech="openai/gpt-realtime",
)
