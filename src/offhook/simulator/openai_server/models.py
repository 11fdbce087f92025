"""`GET /v1/models` and `GET /v1/models/{model}`: what there is."""

from offhook.simulator.openai_server.answers import Answer, ApiError
from offhook.simulator.openai_server.script import Script


async def tell(script: Script, answer: Answer, model: str | None) -> None:
    """All models, or the one that is asked for."""
    if script.models is None:
        raise ApiError(404, "Not Found")
    if model is None:
        await answer.json({"object": "list", "data": [_described(name) for name in script.models]})
    elif model in script.models:
        await answer.json(_described(model))
    else:
        raise ApiError(404, f"The model '{model}' does not exist", "model_not_found", param="model")


def _described(model: str) -> dict[str, object]:
    return {"id": model, "object": "model", "created": 0, "owned_by": "offhook"}
