"""The OpenAI Agents SDK for Python, through Responses."""

import asyncio
import json
import os

from agents import Agent, Runner, function_tool, set_tracing_disabled
from pydantic import BaseModel

set_tracing_disabled(True)
called = []


class City(BaseModel):
    city: str


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    called.append("get_weather")
    return f"7 degrees in {city}"


async def pieces(run: object):
    async for event in run.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            yield event.data.delta


async def main() -> None:
    agent = Agent(name="a", model="auto", tools=[get_weather])
    streamed = "".join([piece async for piece in pieces(Runner.run_streamed(agent, "say hello"))])
    await Runner.run(agent, "USE_TOOL get_weather")
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{os.environ['PICTURE']}"}
    seeing = [{"role": "user", "content": [{"type": "input_text", "text": "say hello"}, picture]}]
    said = {
        "plain": (await Runner.run(agent, "say hello")).final_output,
        "stream": streamed,
        "tools": called[0],
        "structured": (await Runner.run(Agent(name="b", model="auto", output_type=City), "which city")).final_output.city,
        "image": (await Runner.run(agent, seeing)).final_output,
    }
    counting = Runner.run_streamed(agent, "COUNT_TO 3000")
    async for _ in pieces(counting):
        counting.cancel()
        break
    print(json.dumps(said))


asyncio.run(main())
