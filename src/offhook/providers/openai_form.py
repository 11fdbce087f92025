"""A form with a WAV file in it: multipart/form-data, whole in memory.

https://www.rfc-editor.org/rfc/rfc7578
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def form(fields: Mapping[str, Any], wav: bytes) -> tuple[bytes, str]:
    """The body and its content type. None stands for nothing."""
    edge = uuid.uuid4().hex
    head = f'--{edge}\r\nContent-Disposition: form-data; name="'
    parts = [f'{head}{name}"\r\n\r\n{value}\r\n' for name, given in fields.items() for name, value in flat(name, given)]
    file = f'{head}file"; filename="utterance.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    body = b"".join(["".join(parts).encode(), file.encode(), wav, f"\r\n--{edge}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={edge}"


def flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A value as fields of a form, named as OpenAI names them: `list[]`, `object[key]`."""
    match value:
        case None:
            return
        case bool():
            yield name, "true" if value else "false"
        case Mapping():
            for key, each in value.items():
                yield from flat(f"{name}[{key}]", each)
        case str():
            yield name, value
        case Sequence():
            for each in value:
                yield from flat(f"{name}[]", each)
        case _:
            yield name, str(value)
