"""LangChain."""

import json
import os

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    city: str


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"7 degrees in {city}"


model = ChatOpenAI(model="auto")
picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{os.environ['PICTURE']}"}}
seeing = HumanMessage([{"type": "text", "text": "say hello"}, picture])
said = {
    "plain": model.invoke("say hello").content,
    "stream": "".join(chunk.content for chunk in model.stream("say hello")),
    "tools": model.bind_tools([get_weather]).invoke("USE_TOOL get_weather").tool_calls[0]["name"],
    "structured": model.with_structured_output(City).invoke("which city").city,
    "image": model.invoke([seeing]).content,
}
counting = model.stream("COUNT_TO 3000")
for _ in range(3):
    next(counting)
counting.close()
print(json.dumps(said))
