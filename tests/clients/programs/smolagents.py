"""smolagents."""

import base64
import io
import json
import os

import PIL.Image
from smolagents import OpenAIServerModel, tool


@tool
def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: which
    """
    return f"7 degrees in {city}"


model = OpenAIServerModel("auto", api_base=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
picture = PIL.Image.open(io.BytesIO(base64.b64decode(os.environ["PICTURE"])))
schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
shape = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema, "strict": True}}


def user(words: str, *more: dict[str, object]) -> list[dict[str, object]]:
    return [{"role": "user", "content": [{"type": "text", "text": words}, *more]}]


said = {
    "plain": model.generate(user("say hello")).content,
    "stream": "".join(delta.content or "" for delta in model.generate_stream(user("say hello"))),
    "tools": model.generate(user("USE_TOOL get_weather"), tools_to_call_from=[get_weather]).tool_calls[0].function.name,
    "structured": json.loads(model.generate(user("which city"), response_format=shape).content)["city"],
    "image": model.generate(user("say hello", {"type": "image", "image": picture})).content,
}
counting = model.generate_stream(user("COUNT_TO 3000"))
next(counting)
counting.close()
print(json.dumps(said), flush=True)
os._exit(0)
