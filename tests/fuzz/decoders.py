"""Fuzzes everything that reads bytes from outside: ``python -m tests.fuzz.decoders --seconds 60`` (extra ``fuzz``).

The first byte of an input chooses the target. Stops at the first finding with its traceback and the input in a file, unless
``--keep-going`` collects one of each kind. Not part of ``make test``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["openclaw_oauthrouter"]):
    from tests.faults.answers import PROVIDERS
    from tests.faults.clients import CLIENTS
    from tests.fuzz.targets import TARGETS

import orjson

NAMES = list(TARGETS)
OF_PROVIDER = {"anthropic": "anthropic_messages", "codex": "openai_responses", "chat": "openai_chat_completions"}
OF_CLIENT = {"messages": "anthropic_messages", "responses": "openai_responses", "chat": "openai_chat_completions"}
OTHERS = {
    "packed": b"\0\x1f\x8b\x08\0\0\0\0\0\0\x03\xcbH\xcd\xc9\xc9\x07\0\x86\xa6\x106\x05\0\0\0",
    "configuration": b'[server]\nport = 8402\n[providers.house]\napi_base = "http://h/v1"\nmodels = ["m"]\n',
    "addresses": b"redis+sentinel://user:word@one:26379,two:26379/main/0",
    "words": b"You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC",
    "profiles": b'{"version": 1, "profiles": {"anthropic:default": {"type": "oauth", "provider": "anthropic", "access": "a", "expires": 1}}}',
    "secret": b"eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2ln",
    "headers": b"anthropic-ratelimit-unified-status: rejected\nx-codex-primary-used-percent: 100\nretry-after: 5\nx-ratelimit-reset-tokens: 6m0s",
}


def seeds() -> dict[str, bytes]:
    """One small valid input of each target."""
    found = dict(OTHERS)
    for name, answer in PROVIDERS.items():
        found[f"{OF_PROVIDER[name]}:stream"] = b"".join(answer.events)
        found[f"{OF_PROVIDER[name]}:refusal"] = answer.refusal
        found[f"{OF_PROVIDER[name]}:answer"] = answer.whole or b'{"object": "response", "status": "completed", "output": []}'
    for name, client in CLIENTS.items():
        found[f"{OF_CLIENT[name]}:request"] = orjson.dumps(client.body("auto", "hi"))
    return found


class Harness:
    """Runs inputs; tells findings apart by where in our own code they arose."""

    def __init__(self, keep_going: bool) -> None:
        self._keep_going = keep_going
        self._known: set[tuple[str, str, int]] = set()

    def run(self, data: bytes) -> None:
        if not data:
            return
        name = NAMES[data[0] % len(NAMES)]
        try:
            TARGETS[name](data[1:])
        except Exception as error:
            if not self._keep_going:
                raise
            self._note(name, data[1:], error)

    def _note(self, name: str, data: bytes, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        last = next((frame for frame in reversed(frames) if "openclaw_oauthrouter" in frame.filename), frames[-1])
        key = (type(error).__name__, last.filename, last.lineno or 0)
        if key not in self._known:
            self._known.add(key)
            sys.stderr.write(f"FINDING {name}: {error!r:.200} at {last.filename}:{last.lineno}\n    {data[:400]!r}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--keep-going", action="store_true")
    options = parser.parse_args()
    corpus = Path(tempfile.mkdtemp(prefix="oauthrouter-fuzz-"))
    for name, data in seeds().items():
        (corpus / name.replace(":", "-")).write_bytes(bytes([NAMES.index(name)]) + data)
    arguments = [sys.argv[0], str(corpus), f"-max_total_time={options.seconds}", "-max_len=8192", f"-artifact_prefix={corpus}/"]
    atheris.Setup(arguments, Harness(options.keep_going).run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
