"""anthropic for Python."""

import json
import os

import anthropic

client = anthropic.Anthropic()
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
source = {"type": "base64", "media_type": "image/png", "data": os.environ["PICTURE"]}


def asked(content: object, **more: object) -> dict[str, object]:
    return {"model": "auto", "max_tokens": 8000, "messages": [{"role": "user", "content": content}], **more}


def words(message: object) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


with client.messages.stream(**asked("say hello")) as stream:
    streamed = "".join(stream.text_stream)
called = client.messages.create(**asked("USE_TOOL get_weather", tools=[{"name": "get_weather", "input_schema": WEATHER}]))
shaped = client.messages.create(**asked("which city", output_config={"format": {"type": "json_schema", "schema": WEATHER}}))
said = {
    "plain": words(client.messages.create(**asked("say hello"))),
    "stream": streamed,
    "tools": next(block.name for block in called.content if block.type == "tool_use"),
    "structured": json.loads(words(shaped))["city"],
    "image": words(client.messages.create(**asked([{"type": "text", "text": "say hello"}, {"type": "image", "source": source}]))),
    "models": [model.id for model in client.models.list()],
}
with client.messages.stream(**asked("COUNT_TO 3000")) as counting:
    next(iter(counting.text_stream))
print(json.dumps(said))
