"""Who made which sealed reasoning."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.content import Opaque, ReasoningPart, TextPart
from openclaw_oauthrouter.canonical.events import Frame, PartFinished, PartStarted
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.upstream.origins import Origins

ANN, BOB = "anthropic/ann", "anthropic/bob"


def sent_back(*opaque: Opaque) -> ChatRequest:
    parts = (TextPart("hi"), ReasoningPart("open"), *(ReasoningPart("", one) for one in opaque))
    return ChatRequest("x", "m", (Message("assistant", parts),))


async def made(origins: Origins, origin: str, *seals: str) -> list[Frame]:
    """Let an origin's answer pass."""

    frames = [Frame(b"raw", ())]
    for index, seal in enumerate(seals):
        frames.append(Frame(b"raw", (PartFinished(index), PartFinished(index, Opaque("signature", seal)))))
    return [origins.stamped(frame, origin) for frame in frames]


async def test_origins_bare_seal_is_remembered_by_its_maker() -> None:
    origins = Origins()
    await made(origins, ANN, "s1")
    request = sent_back(Opaque("signature", "s1"), Opaque("signature", "never seen"))
    assert origins.foreign(request, ANN) == frozenset()
    assert origins.foreign(request, BOB) == {"s1"}


async def test_origins_what_a_seal_says_of_its_maker_counts_more_than_memory() -> None:
    origins = Origins()
    request = sent_back(Opaque("signature", "s1", origin=BOB))
    assert origins.foreign(request, ANN) == {"s1"}
    assert origins.foreign(request, BOB) == frozenset()


async def test_answers_pass_with_their_maker_written_in() -> None:
    frames = await made(Origins(), ANN, "s1")
    assert [frame.raw for frame in frames] == [b"raw", b"raw"]
    assert frames[1].events == (PartFinished(0), PartFinished(0, Opaque("signature", "s1", origin=ANN)))


async def test_origins_oldest_are_forgotten() -> None:
    origins = Origins(capacity=2)
    await made(origins, ANN, "s1", "s2", "s3")
    request = sent_back(*(Opaque("signature", seal) for seal in ("s1", "s2", "s3")))
    assert origins.foreign(request, BOB) == {"s2", "s3"}


async def test_reasoning_details_are_known_by_their_seals_however_a_client_joined_them() -> None:
    origins = Origins()
    sent = '[{"type":"reasoning.text","text":"h"},{"type":"reasoning.encrypted","data":"SEAL","index":1}]'
    back = '[{"type":"reasoning.text","text":"hm"},{"index":1,"data":"SEAL","type":"reasoning.encrypted"}]'
    opaque = Opaque("reasoning_details", sent)
    origins.stamped(Frame(b"", (PartStarted(0, "reasoning"), PartFinished(0, opaque))), ANN)
    request = ChatRequest("x", "m", (Message("assistant", (ReasoningPart("hm", Opaque("reasoning_details", back)),)),))
    assert origins.foreign(request, ANN) == frozenset()
    assert origins.foreign(request, BOB) == {back}
