"""What an answer asks of its connection, for tests without one."""

from __future__ import annotations

import asyncio

from openclaw_oauthrouter.upstream.http_answer import AnswerParser, HttpAnswer


class Source:
    """Notes what its answer wants. Made within the event loop.

    :ivar paused: what the answer asked, in order
    :ivar left: how it left
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.parser = AnswerParser()
        self.paused: list[bool] = []
        self.left: list[bool] = []
        self.answer = HttpAnswer(self)

    def pause(self, wanted: bool) -> None:
        self.paused.append(wanted)

    def leave(self, reusable: bool) -> None:
        self.left.append(reusable)
