"""Run as a program: forks N processes that ask for one credential at the same moment; prints what each got, one a line.

A program of its own, because forking needs a process without threads, and N fresh interpreters would take a minute.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.credentials.builtin import builtin_sources
from openclaw_oauthrouter.credentials.chain import CredentialChain


def ask(state_dir: Path, token_url: str) -> str:
    settings = Settings(
        home=state_dir / "oauthrouter", credentials={"openclaw_state_dir": state_dir, "openai_token_url": token_url}
    )
    chain = CredentialChain(builtin_sources(settings, {}, time.time, lambda: 0.5), settings.credentials, time.time)
    try:
        return asyncio.run(chain.resolve("openai-codex"))[0].secret.reveal()
    except Exception as error:
        return repr(error)


def main(state_dir: str, token_url: str, processes: str) -> None:
    gate, opened = os.pipe()
    children = []
    for _ in range(int(processes)):
        child = os.fork()
        if child == 0:
            os.close(opened)
            os.read(gate, 1)  # returns for all at once, when the parent closes its end
            os.write(1, f"{ask(Path(state_dir), token_url)}\n".encode())
            sys.stdout.flush()
            os._exit(0)
        children.append(child)
    os.close(opened)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
