"""Offhook picks up the phone. The public names; importing them loads nothing heavy until one is used."""

from importlib import import_module
from typing import Any

from offhook.version import VERSION

__version__ = VERSION

_NAMES = {
    "Agent": "offhook.agent",
    "patience": "offhook.agent",
    "CallHandle": "offhook.agent.handle",
    "Flow": "offhook.conversation.flow",
    "Question": "offhook.conversation.questions",
    "Anything": "offhook.conversation.answers",
    "Day": "offhook.conversation.answers",
    "Digits": "offhook.conversation.answers",
    "HowLong": "offhook.conversation.answers",
    "OneOf": "offhook.conversation.answers",
    "Quantity": "offhook.conversation.answers",
    "TimeOfDay": "offhook.conversation.answers",
    "YesNo": "offhook.conversation.answers",
    "Limits": "offhook.call.config",
    "Phrases": "offhook.call.config",
    "Rates": "offhook.call.usage",
    "Redaction": "offhook.conversation.redaction",
    "Patience": "offhook.turns.patience",
    "IncomingCall": "offhook.server.reception",
    "Listen": "offhook.server.reception",
    "asgi_app": "offhook.server.app",
    "OffhookError": "offhook.errors",
    "ConfigurationError": "offhook.errors",
    "ProviderError": "offhook.errors",
}

__all__ = sorted([*_NAMES, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'offhook' has no attribute {name!r}")
    value = getattr(import_module(_NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
