"""A gateway that has seen a conversation, or one like it, sends what one sends that sees it for the first time."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.fitting import fit
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.spelled import written
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.parsing import known_bodies
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.parsing.known_bodies import KnownBodies
from openclaw_oauthrouter.policy.token_estimate import TokenEstimator
from tests.unit.dialects.test_kinds_on_every_lane import CHAT, MESSAGES, RESPONSES
from tests.unit.dialects.test_relay_of_conversations import ODD, PLAIN

Json = dict[str, Any]

MODELS = (
    (CHAT, ModelInfo("openai", "gpt-5.4")),
    (CHAT, ModelInfo("mistral", "mistral-large-latest")),
    (MESSAGES, ModelInfo("anthropic", "claude-opus-4-6")),
    (RESPONSES, ModelInfo("openai-codex", "gpt-5.4")),
)
VALUES: tuple[Any, ...] = (None, "", 1, 1.0, True, [], {}, "x", "é😀", '"messages":[', "\0", 2**70, "{", '{"a":1}', {"tools": []})
FIELDS = ("tools", "tool_choice", "temperature", "messages", "input", "model", "metadata", "stream")
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1.0}}}


@pytest.fixture(autouse=True)
def short_bodies_are_remembered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_bodies, "LEAST_BYTES", 64)


class Client:
    """Asks as an agent does, and as no agent should.

    :ivar fields: of the latest body, in order; a name may stand there twice
    """

    def __init__(self, dialect: str, random: Random) -> None:
        self.dialect, self.random = dialect, random
        first: list[tuple[str, Any]] = [("model", "m"), (self.name, [self.message() for _ in range(3)]), ("tools", self.tools())]
        self.fields = [*first, ("max_tokens", 9)] if dialect != RESPONSES else first

    @property
    def name(self) -> str:
        return "input" if self.dialect == RESPONSES else "messages"

    def message(self) -> Json:
        message = deepcopy(self.random.choice(PLAIN[self.dialect] * 3 + ODD[self.dialect]))
        if self.random.random() < 0.1:
            message[self.random.choice(list(message))] = self.random.choice(VALUES)
        return message

    def tools(self) -> list[Json]:
        names = self.random.sample(["f", "g.h", "look", "f" * 70], 2)
        if self.dialect == MESSAGES:
            return [{"name": name, "description": "d", "input_schema": SCHEMA} for name in names]
        functions = [{"name": name, "description": "d", "parameters": SCHEMA} for name in names]
        nested = self.dialect == CHAT
        return [{"type": "function", "function": one} if nested else {"type": "function", **one} for one in functions]

    def go_on(self) -> None:
        """A turn more; or another message, field or order."""
        random, fields = self.random, [*self.fields]
        at = next((at for at, (name, value) in enumerate(fields) if name == self.name and isinstance(value, list)), None)
        messages = [] if at is None else [*fields[at][1]]
        choice = random.random()
        if at is not None and choice < 0.75:
            place = random.randrange(len(messages) + 1) if choice > 0.6 else len(messages)
            messages[place : place + (choice > 0.65)] = [self.message() for _ in range(random.randrange(3))]
            fields[at] = (fields[at][0], messages)
        elif choice < 0.9:
            value = self.tools() if random.random() < 0.3 else random.choice(VALUES)
            fields.insert(random.randrange(len(fields) + 1), (random.choice(FIELDS), value))
        elif len(fields) > 1:
            del fields[random.randrange(len(fields))]
        self.fields = fields if random.random() < 0.9 else self.fields

    def body(self) -> bytes:
        """The latest, spelled in one of several ways, sometimes damaged."""
        separators = self.random.choice([(",", ":")] * 5 + [(", ", ": ")])
        ascii_only = self.random.random() < 0.2
        told = (f"{json.dumps(name)}:{json.dumps(v, ensure_ascii=ascii_only, separators=separators)}" for name, v in self.fields)
        text = ("{" + ",".join(told) + "}").encode()
        place = self.random.randrange(len(text))
        return text if self.random.random() < 0.95 else text[:place] + self.random.choice([b"", b",", b'"']) + text[place + 1 :]


def dialects() -> dict[str, Dialect]:
    return {
        CHAT: ChatCompletions(lambda: 0.0),
        MESSAGES: AnthropicMessages(lambda: 0.0),
        RESPONSES: OpenAIResponses(lambda: 0.0, lambda: "0" * 32),
    }


def parsed(parse: Callable[[bytes], Json], body: bytes) -> tuple[Json, str]:
    """The body, or why it is refused."""
    try:
        return parse(body), ""
    except OAuthRouterError as error:
        return {}, str(error)


def told(value: Any) -> str:
    """With the order of fields, and numbers as they are spelled."""
    spelled = json.loads(
        orjson.dumps(value), parse_int=lambda digits: f"int {digits}", parse_float=lambda digits: f"float {digits}"
    )
    return json.dumps(spelled)


def sent(value: Json, client: str, speaks: dict[str, Dialect], estimator: TokenEstimator) -> list[Any]:
    """What each model is asked, and what was noted; or the refusal."""
    try:
        request = speaks[client].decode_request(value, {})
    except OAuthRouterError as error:
        return [str(error)]
    found: list[Any] = [repr(request.messages), estimator.input_tokens(request)]
    for dialect, bare in MODELS:
        info = with_accepts(bare, dialect)
        try:
            fitted, changed = fit(request, info, dialect)
            encoded = speaks[dialect].encode_request(fitted, info)
        except OAuthRouterError as error:
            found.append(str(error))
        else:
            found.append((told(orjson.Fragment(written(encoded.body))), changed, encoded.notes, dict(encoded.tool_names)))
    return found


@pytest.mark.parametrize("dialect", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("seed", range(8))
def test_known_conversations_are_sent_as_unknown_ones_are(dialect: str, seed: int) -> None:
    random = Random(f"{dialect} {seed}")
    bodies, speaks, estimator = KnownBodies(1 << 17), dialects(), TokenEstimator()
    for _ in range(4):
        client = Client(dialect, random)
        for _ in range(12):
            body = client.body()
            client.go_on()
            fresh, refusal = parsed(parse_body, body)
            known, refusal_again = parsed(bodies.parse, body)
            assert refusal_again == refusal
            assert told(known) == told(fresh)
            assert sent(known, dialect, speaks, estimator) == sent(fresh, dialect, dialects(), TokenEstimator())
