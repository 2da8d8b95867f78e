"""Bounds on answers that do not end: a broken or hostile upstream, or a model that repeats one token for ever."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.events import Frame, PartDelta, PartDeltas
from openclaw_oauthrouter.canonical.response import WholeAnswer
from openclaw_oauthrouter.errors import UpstreamProtocolError

ENDLESS = "endless_answer"
"""Code of an ``UpstreamProtocolError`` that ended an answer because it would not end by itself; it was billed, so it is not repeated."""

MOST_BEFORE_CONTENT = 16 << 20
"""Bytes that may come before the first content: comments, empty pieces; some vendors send a comment a second while they wait."""

MOST_KEPT = 128 << 20
"""What an answer that is gathered for a client who gets it whole may weigh: its bytes, some three hundred for each token, and so much for
each of its events:"""
_EVENT_WEIGHT = 160

MOST_CHARACTERS = 32 << 20
"""Characters of a streamed answer: some millions of tokens, beyond what any model writes."""

MOST_REPETITIONS = 5_000
"""Times that one and the same piece may come in a row; pieces are tokens, so this is a minute or more of nothing else."""


class Bounds:
    """Watches one answer, frame by frame.

    :ivar characters: text, reasoning and tool arguments that came
    """

    __slots__ = ("_before", "_kept", "_last", "_repeated", "characters")

    def __init__(self) -> None:
        self.characters = 0
        self._before = 0
        self._kept = 0
        self._last = ""
        self._repeated = 0

    def before_content(self, frame: Frame) -> None:
        """A frame came before the first content.

        :raises UpstreamProtocolError: too much has
        """
        self._before += len(frame.raw)
        if self._before > MOST_BEFORE_CONTENT:
            raise UpstreamProtocolError(f"it sent {MOST_BEFORE_CONTENT} bytes without any content", code=ENDLESS)

    def keep(self, frame: Frame) -> None:
        """A frame is kept until the answer is whole.

        :raises UpstreamProtocolError: the answer is too large
        """
        told = frame.told
        if type(told) is WholeAnswer:
            pieces = told.pieces
        else:
            pieces = 0
            for event in told:
                pieces += len(event.texts) if type(event) is PartDeltas else 1
        self._kept += len(frame.raw) + _EVENT_WEIGHT * pieces
        if self._kept > MOST_KEPT:
            raise UpstreamProtocolError(f"its answer is larger than {MOST_KEPT} bytes", code=ENDLESS)

    def deltas(self, event: PartDelta | PartDeltas) -> None:
        """Content came, in one piece or several.

        :raises UpstreamProtocolError: the answer does not end
        """
        self.characters += len(event.text)
        if type(event) is PartDeltas:
            self._several(event.texts)
        elif event.text == self._last:
            self._repeat(event.text)
        else:
            self._last = event.text
            self._repeated = 0
        if self.characters > MOST_CHARACTERS:
            raise UpstreamProtocolError(f"its answer is longer than {MOST_CHARACTERS} characters", code=ENDLESS)

    def _several(self, texts: Sequence[str]) -> None:
        last = texts[-1]
        if len(texts) < MOST_REPETITIONS and texts[0] != self._last and texts.count(last) == 1:
            # Too few to be too many, and what comes next can only repeat the last.
            self._last = last
            self._repeated = 0
            return
        for text in texts:
            if text == self._last:
                self._repeat(text)
            else:
                self._last = text
                self._repeated = 0

    def _repeat(self, text: str) -> None:
        self._repeated += 1
        if self._repeated >= MOST_REPETITIONS:
            raise UpstreamProtocolError(
                f"its answer repeats {text[:40]!r} without end ({MOST_REPETITIONS} times in a row)", code=ENDLESS
            )
