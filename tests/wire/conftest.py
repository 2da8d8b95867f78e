"""One replay server and one client of each official SDK for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.support.replay import ReplayServer


@pytest.fixture(scope="session")
def replay() -> Iterator[ReplayServer]:
    with ReplayServer() as server:
        yield server


@pytest.fixture(scope="session")
def openai_client(replay: ReplayServer) -> Iterator[OpenAI]:
    with OpenAI(api_key="none", base_url=replay.url, max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def anthropic_client(replay: ReplayServer) -> Iterator[Anthropic]:
    with Anthropic(api_key="none", base_url=replay.url, max_retries=0) as client:
        yield client
