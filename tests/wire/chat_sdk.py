"""Chat streams as the official ``openai`` package understands them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openai import OpenAI
from openai.lib.streaming.chat import ChatCompletionStreamState

from tests.support.replay import ReplayServer


@dataclass(frozen=True)
class Answer:
    """What a client of the SDK ends up with.

    :ivar tool_calls: (id, name, arguments) of each
    :ivar usage: prompt, completion, cached, cache-written and reasoning tokens; ``None`` if the stream had none
    """

    content: str
    reasoning: str
    refusal: str
    tool_calls: tuple[tuple[str, str, str], ...]
    finish_reason: str | None
    usage: tuple[int, int, int, int, int] | None


def read_chat_stream(wire: bytes, replay: ReplayServer, client: OpenAI) -> Answer:
    """Let the SDK receive and accumulate a stream.

    :raises openai.APIError: the stream holds an error
    """
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    with (
        replay.answering(wire),
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True) as chunks,
    ):
        usage = None
        for chunk in chunks:
            state.handle_chunk(chunk)
            usage = chunk.usage or usage
    snapshot = state.current_completion_snapshot.to_dict()
    [choice] = snapshot["choices"]  # type: ignore[misc]
    return _answer(choice, usage.to_dict() if usage else None)


def read_chat_completion(body: dict[str, Any]) -> Answer:
    """A whole answer, in the same terms."""
    [choice] = body["choices"]
    return _answer(choice, body.get("usage"))


def _answer(choice: dict[str, Any], usage: dict[str, Any] | None) -> Answer:
    message = choice["message"]
    calls = message.get("tool_calls") or ()
    return Answer(
        content=message.get("content") or "",
        reasoning=message.get("reasoning_content") or message.get("reasoning") or "",
        refusal=message.get("refusal") or "",
        tool_calls=tuple((call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls),
        finish_reason=choice.get("finish_reason"),
        usage=_usage(usage) if usage else None,
    )


def _usage(usage: dict[str, Any]) -> tuple[int, int, int, int, int]:
    prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return (
        usage["prompt_tokens"],
        usage["completion_tokens"],
        prompt.get("cached_tokens") or 0,
        prompt.get("cache_write_tokens") or 0,
        completion.get("reasoning_tokens") or 0,
    )
