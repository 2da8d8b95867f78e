"""LlamaIndex, by its class for endpoints like OpenAI's."""

import base64
import json
import os

from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    city: str


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"7 degrees in {city}"


model = OpenAILike(
    model="auto",
    is_chat_model=True,
    is_function_calling_model=True,
    api_base=os.environ["OPENAI_BASE_URL"],
    api_key=os.environ["OPENAI_API_KEY"],
)
picture = ImageBlock(image=base64.b64decode(os.environ["PICTURE"]), image_mimetype="image/png")
called = model.chat_with_tools([FunctionTool.from_defaults(get_weather)], user_msg="USE_TOOL get_weather")
said = {
    "plain": str(model.complete("say hello")),
    "stream": "".join(chunk.delta or "" for chunk in model.stream_chat([ChatMessage("say hello")])),
    "tools": model.get_tool_calls_from_response(called)[0].tool_name,
    "structured": model.as_structured_llm(City).complete("which city").raw.city,
    "image": str(model.chat([ChatMessage(blocks=[TextBlock(text="say hello"), picture])]).message.content),
}
counting = model.stream_chat([ChatMessage("COUNT_TO 3000")])
next(counting)
counting.close()
print(json.dumps(said), flush=True)
