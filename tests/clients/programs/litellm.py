"""LiteLLM, through Chat Completions and once through Messages."""

import json
import os

import litellm
from pydantic import BaseModel


class City(BaseModel):
    city: str


WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{os.environ['PICTURE']}"}}


def ask(content: object, model: str = "openai/auto", **more: object):
    return litellm.completion(model, [{"role": "user", "content": content}], **more)


said = {
    "plain": ask("say hello", "anthropic/claude-haiku-4-5").choices[0].message.content,
    "stream": "".join(chunk.choices[0].delta.content or "" for chunk in ask("say hello", stream=True)),
    "tools": ask("USE_TOOL get_weather", tools=[{"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}])
    .choices[0]
    .message.tool_calls[0]
    .function.name,
    "structured": json.loads(ask("which city", response_format=City).choices[0].message.content)["city"],
    "image": ask([{"type": "text", "text": "say hello"}, picture]).choices[0].message.content,
    "models": litellm.utils.get_valid_models(
        check_provider_endpoint=True,
        custom_llm_provider="litellm_proxy",
        api_base=os.environ["OPENAI_BASE_URL"].removesuffix("/v1"),
        api_key=os.environ["OPENAI_API_KEY"],
    ),
}
counting = ask("COUNT_TO 3000", stream=True)
next(iter(counting))
print(json.dumps(said), flush=True)
os._exit(0)  # it hangs on to what it streams
