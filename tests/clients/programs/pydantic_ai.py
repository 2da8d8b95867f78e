"""pydantic-ai."""

import asyncio
import base64
import json
import os

from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent


class City(BaseModel):
    city: str


agent = Agent("openai-chat:auto")
called = []


@agent.tool_plain
def get_weather(city: str) -> str:
    """The weather in a city."""
    called.append("get_weather")
    return f"7 degrees in {city}"


async def main() -> None:
    async with agent.run_stream("say hello") as stream:
        streamed = "".join([piece async for piece in stream.stream_text(delta=True)])
    await agent.run("USE_TOOL get_weather")
    picture = BinaryContent(base64.b64decode(os.environ["PICTURE"]), media_type="image/png")
    said = {
        "plain": (await agent.run("say hello")).output,
        "stream": streamed,
        "tools": called[0],
        "structured": (await Agent("openai-chat:auto", output_type=City).run("which city")).output.city,
        "image": (await agent.run(["say hello", picture])).output,
    }
    async with agent.run_stream("COUNT_TO 3000") as counting:
        async for _ in counting.stream_text(delta=True):
            break
    print(json.dumps(said))


asyncio.run(main())
