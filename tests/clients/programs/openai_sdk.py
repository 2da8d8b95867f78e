"""openai for Python."""

import json
import os

import openai
from pydantic import BaseModel


class City(BaseModel):
    city: str


client = openai.OpenAI()
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{os.environ['PICTURE']}"}}


def user(content: object) -> list[dict[str, object]]:
    return [{"role": "user", "content": content}]


def create(content: object, **more: object):
    return client.chat.completions.create(model="auto", messages=user(content), **more)


said = {
    "plain": create("say hello").choices[0].message.content,
    "stream": "".join(chunk.choices[0].delta.content or "" for chunk in create("say hello", stream=True) if chunk.choices),
    "tools": create(
        "USE_TOOL get_weather", tools=[{"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}]
    )
    .choices[0]
    .message.tool_calls[0]
    .function.name,
    "structured": client.chat.completions.parse(model="auto", messages=user("which city"), response_format=City)
    .choices[0]
    .message.parsed.city,
    "image": create([{"type": "text", "text": "say hello"}, picture]).choices[0].message.content,
    "models": [model.id for model in client.models.list()],
}
with create("COUNT_TO 3000", stream=True) as counting:
    next(iter(counting))
print(json.dumps(said))
