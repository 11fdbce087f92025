"""What several of these tests are run with."""

import importlib.util
from collections.abc import Iterator

import pytest

_NO_SDK = pytest.mark.skipif(importlib.util.find_spec("openai") is None, reason="no openai")


@pytest.fixture(scope="module", params=["lean", pytest.param("sdk", marks=_NO_SDK)])
def either_client(request: pytest.FixtureRequest) -> Iterator[str]:
    """Our OpenAI providers over the lean client, and over the SDK."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFHOOK_OPENAI_CLIENT", request.param)
        yield request.param
