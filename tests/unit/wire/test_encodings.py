"""Whatever a body unpacks to: right bytes, or an error before its limit is passed."""

from __future__ import annotations

import gzip
import importlib
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.wire import encodings
from openclaw_oauthrouter.wire.encodings import (
    MOST_MEMBERS,
    UnknownCoding,
    Unpacker,
    UnpackingError,
    UnpacksTooLarge,
    content_coding,
)

brotli = pytest.importorskip("brotli")
zstd = encodings._zstd_module()


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACK: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without its head": ("deflate", _raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
}


def unpacked(coding: str, packed: bytes, limit: int = 1 << 20, step: int = 1 << 16) -> bytes:
    unpacker = Unpacker(coding, limit)
    body = b"".join(piece for at in range(0, len(packed), step) for piece in unpacker.feed(packed[at : at + step]))
    unpacker.finish()
    return body


@pytest.mark.parametrize("name", PACK)
@given(data=st.binary(max_size=3000), times=st.integers(1, 100), step=st.integers(1, 5000))
@settings(max_examples=25, deadline=None)
def test_unpacker_gives_back_what_was_packed_however_it_is_cut(name: str, data: bytes, times: int, step: int) -> None:
    coding, pack = PACK[name]
    assert unpacked(coding, pack(data * times), step=step) == data * times


@pytest.mark.parametrize("name", PACK)
def test_unpacker_stops_at_the_limit_without_unpacking_the_rest(name: str) -> None:
    coding, pack = PACK[name]
    bomb = pack(b"\0" * (64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(UnpacksTooLarge, match="1048576 bytes"):
            unpacked(coding, bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize("name", PACK)
def test_unpacker_pieces_are_small(name: str) -> None:
    coding, pack = PACK[name]
    pieces = list(Unpacker(coding, 1 << 30).feed(pack(b"\0" * (4 << 20))))
    assert max(map(len, pieces)) <= 2 * encodings.STEP_BYTES


@pytest.mark.parametrize("name", PACK)
@given(junk=st.binary(min_size=1, max_size=400))
@settings(max_examples=50, deadline=None)
def test_unpacker_of_junk_fails_as_said(name: str, junk: bytes) -> None:
    coding, _ = PACK[name]
    try:
        unpacked(coding, junk)
    except UnpackingError:
        return


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_unpacker_says_when_a_body_ends_in_the_middle(name: str) -> None:
    packed = PACK[name][1](bytes(range(256)) * 50)
    with pytest.raises(UnpackingError, match="middle"):
        unpacked(name, packed[:-4])


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_unpacker_reads_members_one_behind_the_other_but_not_without_end(name: str) -> None:
    pack = PACK[name][1]
    assert unpacked(name, pack(b"one ") + pack(b"two") + b"\0" * 100) == b"one two"
    with pytest.raises(UnpackingError, match="members"):
        unpacked(name, pack(b"") * (MOST_MEMBERS + 1))


def test_unpacker_of_an_empty_body_is_content() -> None:
    assert unpacked("gzip", b"") == b""


def test_unpacker_refuses_a_zstd_window_of_gigabytes() -> None:
    head = bytes.fromhex("28b52ffd") + bytes([0x00, (31 - 10) << 3])
    with pytest.raises(UnpackingError):
        unpacked("zstd", head + b"\0" * 100)


@pytest.mark.parametrize(
    ("header", "coding"), [("", ""), ("identity", ""), ("GZIP", "gzip"), ("x-gzip", "gzip"), (" br ,", "br")]
)
def test_content_coding_reads_one_name(header: str, coding: str) -> None:
    assert content_coding(header) == coding


@pytest.mark.parametrize("header", ["gzip, gzip", "gzip,gzip,gzip", "deflate, br", "gzip, identity, zstd"])
def test_content_coding_refuses_several(header: str) -> None:
    with pytest.raises(UnknownCoding, match="times over"):
        content_coding(header)


@pytest.mark.parametrize(("coding", "package"), [("zstd", "zstd"), ("br", "brotli")])
def test_unpacker_names_the_package_that_is_missing(coding: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", gone)
    with pytest.raises(UnknownCoding, match=f"{package}.*not installed"):
        Unpacker(coding, 100)


def test_unpacker_names_what_it_knows() -> None:
    with pytest.raises(UnknownCoding, match="gzip, deflate, br, zstd"):
        Unpacker("compress", 100)
