"""instructor, by tools."""

import json
import os

import instructor
import openai
from pydantic import BaseModel


class City(BaseModel):
    city: str


client = instructor.from_openai(openai.OpenAI())
picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{os.environ['PICTURE']}"}}


def user(content: object) -> list[dict[str, object]]:
    return [{"role": "user", "content": content}]


said = {
    "plain": client.client.chat.completions.create(model="auto", messages=user("say hello")).choices[0].message.content,
    "structured": client.chat.completions.create(model="auto", messages=user("which city"), response_model=City).city,
    "image": client.chat.completions.create(
        model="auto", messages=user([{"type": "text", "text": "which city"}, picture]), response_model=City
    ).city,
    "partial": [
        part.city
        for part in client.chat.completions.create_partial(model="auto", messages=user("which city"), response_model=City)
    ][-1],
}
print(json.dumps(said))
