"""Plays every case through one gateway, many at once, and judges how each ended."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy
from tests.faults.answers import PROVIDERS
from tests.faults.clients import CLIENTS, read_stream
from tests.faults.damage import plays
from tests.support.upstream import Play, ScriptedUpstream, Seen

AT_ONCE = 48
LIMIT = 20.0
"""Seconds after which a client counts as hanging; the gateway's own limits are far below."""

TIMEOUTS = {"connect": 5.0, "first_byte": 2.0, "idle": 1.0, "total": 10.0}
CLIENT_STATUSES = frozenset({400, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 520, 529})
"""What a client may get: never the provider's 401, 402 or 403, which would speak of the gateway's credential, and never its 302."""


@dataclass(frozen=True)
class Case:
    """One request and what its provider does."""

    number: int
    provider: str
    dialect: str
    stream: bool
    damage: str
    play: Play

    def __str__(self) -> str:
        how = "streaming" if self.stream else "whole"
        return f"#{self.number} {self.provider} -> {self.dialect}, {how}: {self.damage}"

    @property
    def is_one_dialect(self) -> bool:
        """Whether client and provider speak the same."""
        return LANES[self.provider] == self.dialect


LANES = {"anthropic": "messages", "codex": "responses", "chat": "chat"}
"""Provider -> the clients that speak its dialect."""


def all_cases(*, thorough: bool) -> list[Case]:
    """Providers x dialects x streaming or not x damage."""
    return [Case(number, *case) for number, case in enumerate(_combinations(thorough))]


def _combinations(thorough: bool) -> Iterator[tuple[str, str, bool, str, Play]]:
    for provider, answer in PROVIDERS.items():
        for dialect in CLIENTS:
            for stream in (True, False):
                for damage, play in plays(answer, stream=stream, thorough=thorough):
                    yield provider, dialect, stream, damage, play


class CaseUpstream(ScriptedUpstream):
    """Answers by the number that stands in what the user says."""

    def __init__(self, cases: Sequence[Case]) -> None:
        super().__init__()
        self._cases = cases

    def choose(self, seen: Seen) -> Play:
        self.seen.clear()  # some kilobytes a request, which looks like a leak of the gateway once there are ten thousands of them
        return self._cases[self.number(seen)].play

    def number(self, seen: Seen) -> int:
        """Which case a request belongs to."""
        found = re.search(r"case-(\d+)-", str(seen.body))
        assert found, seen.body
        return int(found[1])


class Records:
    """A trace sink that keeps everything, and the plugin that brings it in."""

    name = "fault-records"

    def __init__(self) -> None:
        self.kept: list[RequestRecord] = []

    def receive(self, record: RequestRecord) -> None:
        self.kept.append(record)

    @hookimpl
    def oauthrouter_register_trace_sinks(self) -> list[Records]:
        return [self]


@dataclass
class Outcome:
    """How all cases ended.

    :ivar wrong: a line for each case that ended as it must not
    :ivar still_playing: cases whose upstream was never left
    :ivar ends: how often each kind of end was seen
    """

    records: list[RequestRecord]
    still_playing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    by_case: dict[int, str] = field(default_factory=dict)


async def play_all(cases: Sequence[Case], home: Path) -> Outcome:
    """Play the cases."""
    records = Records()
    async with CaseUpstream(cases) as upstream, await _gateway(upstream, records, home) as handle:
        outcome = Outcome(records.kept)
        queue = iter(cases)
        await asyncio.gather(*(_worker(handle, queue, outcome) for _ in range(AT_ONCE)))
        with suppress(TimeoutError):
            async with asyncio.timeout(LIMIT):
                while upstream.playing:
                    await asyncio.sleep(0.02)
        outcome.still_playing = [str(cases[upstream.number(seen)]) for seen in upstream.playing]
    return outcome


async def _gateway(upstream: ScriptedUpstream, records: Records, home: Path, **more: Any) -> ProxyHandle:
    return await start_proxy(
        port=0,
        home=home,
        auth_token="local-test-token",
        providers={
            "anthropic": {"api_base": upstream.url, "api_key": "sk-ant-api03-test"},
            "openai-codex": {"api_base": upstream.url, "auth_header": "Bearer test"},
            "house": {"api_base": f"{upstream.url}/v1", "api_key": "sk-test", "models": ["house-model"]},
        },
        credentials={"order": ["config"]},
        upstream={"timeouts": TIMEOUTS, "retry": {"attempts": 1}, "trust_env": False},
        server={"keep_alive_seconds": 0.2},
        spend_controls={"daily_request_budget": 1_000_000, "daily_input_token_budget": 10**12},
        plugins=[records],
        **more,
    )


async def _worker(handle: ProxyHandle, queue: Iterator[Case], outcome: Outcome) -> None:
    headers = {"authorization": f"Bearer {handle.auth_token}"}
    async with httpx.AsyncClient(base_url=handle.base_url, headers=headers, timeout=LIMIT, trust_env=False) as http:
        for case in queue:
            end = await _play(http, case)
            outcome.ends[end.partition(":")[0]] += 1
            outcome.by_case[case.number] = end
            if end not in ("answer", "error status", "error in the stream"):
                outcome.wrong.append(f"{case}\n    {end}")


async def _play(http: httpx.AsyncClient, case: Case) -> str:
    client = CLIENTS[case.dialect]
    body: dict[str, Any] = client.body(PROVIDERS[case.provider].model, f"case-{case.number}- hi")
    try:
        async with asyncio.timeout(LIMIT):
            answer = await http.post(client.path, json={**body, "stream": case.stream})
    except (TimeoutError, httpx.TimeoutException):
        return "hang"
    except httpx.HTTPError as error:
        return f"loss: {error!r}"
    try:
        return _judge(case, answer)
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        return f"loss: not the dialect: {error!r} in {answer.status_code} {answer.text[-500:]!r}"


def _repeats(case: Case, answer: httpx.Response) -> bool:
    sent = b"".join(piece for piece in case.play.pieces if isinstance(piece, bytes))
    return answer.content == sent and bool(answer.json()["error"]["message"])


def _judge(case: Case, answer: httpx.Response) -> str:
    client = CLIENTS[case.dialect]
    if answer.status_code != 200:
        assert answer.status_code in CLIENT_STATUSES
        # A refusal in the client's own dialect passes as it is, and its error object then is the provider's.
        assert (case.is_one_dialect and _repeats(case, answer)) or client.is_error(answer.json())
        return "error status"
    reading = read_stream(client, answer.text) if case.stream else client.whole(answer.json())
    if reading.is_right:
        return "answer"
    if case.stream and reading.end == "error":
        return "error in the stream"
    return f"loss: {reading} in {answer.text[-700:]!r}"
