"""Content codings, unpacked in small steps under a limit: a few hundred packed bytes can stand for gigabytes."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

STEP_BYTES = 1 << 16
"""Most bytes that one step unpacks; whoever takes the pieces can stop after any of them."""

MOST_MEMBERS = 100
"""Gzip members or zstd frames, one behind the other, in one body; RFC 1952 allows any number, no client sends more than one."""

_LARGEST_ZSTD_WINDOW = 25
"""Power of two: 32 MiB, above what the usual levels ask for, so that a header of nine bytes cannot ask for gigabytes."""

_IN_MEMBERS = ("gzip", "zstd")
_NOTHING = frozenset({"", "identity"})
_SAME_AS = {"x-gzip": "gzip"}


class UnpackingError(ValueError):
    """A body is not what its content coding says."""


class UnpacksTooLarge(UnpackingError):
    """A body is larger than its limit once it is unpacked."""


class UnknownCoding(UnpackingError):
    """A content coding that cannot be unpacked here; the message says what can."""


class _Decoder(Protocol):
    """One member of one coding.

    :ivar eof: the member is complete
    :ivar rest: packed bytes behind the member's end
    """

    @property
    def eof(self) -> bool: ...

    @property
    def rest(self) -> bytes: ...

    def step(self, data: bytes) -> bytes:
        """Unpack about ``STEP_BYTES`` at most; with no data, go on with what was given before."""
        ...


def content_coding(header: str) -> str:
    """The one coding that a ``content-encoding`` header names; ``""`` when the body is as it is.

    :raises UnknownCoding: it names several: one behind another multiplies what a byte can stand for, and nobody needs it
    """
    if header in _NOTHING:
        return ""
    names = [name for part in header.split(",") if (name := part.strip().lower()) not in _NOTHING]
    if len(names) > 1:
        raise UnknownCoding(f"the body is packed {len(names)} times over ({header[:80]!r}); pack it once, or not at all")
    return _SAME_AS.get(names[0], names[0]) if names else ""


class Unpacker:
    """Unpacks one body as it comes.

    :param coding: ``gzip``, ``deflate``, ``br`` or ``zstd``
    :param limit: bytes that the body may have, unpacked
    :raises UnknownCoding: another coding, or one whose package is not installed
    """

    def __init__(self, coding: str, limit: int) -> None:
        if coding not in _DECODERS:
            raise UnknownCoding(f"the content coding {coding[:40]!r} is not known; known are {', '.join(_DECODERS)} and identity")
        self._coding = coding
        self._limit = limit
        self._new = _DECODERS[coding]()
        self._decoder = self._new()
        self._members = 1
        self._size = 0
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The pieces that more packed bytes stand for, each of about ``STEP_BYTES``; take them all before the next call.

        :raises UnpacksTooLarge: the limit is passed; nothing beyond it was unpacked
        :raises UnpackingError: the bytes are not of this coding
        """
        # In slices, for what a step leaves over is copied at the next one.
        for start in range(0, len(data), STEP_BYTES):
            yield from self._slice(data[start : start + STEP_BYTES])

    def _slice(self, data: bytes) -> Iterator[bytes]:
        self._begun = True
        while True:
            if self._decoder.eof:
                data = data.lstrip(b"\0")  # padding, as tape archives have it
                if not data or self._coding not in _IN_MEMBERS:
                    return
                self._begin_member()
            piece = self._step(data)
            if piece:
                self._size += len(piece)
                if self._size > self._limit:
                    raise UnpacksTooLarge(f"the body is larger than {self._limit} bytes once it is unpacked")
                yield piece
            data = self._decoder.rest if self._decoder.eof else b""
            if not piece and not data:
                return

    def finish(self) -> None:
        """The packed bytes have ended.

        :raises UnpackingError: in the middle
        """
        if self._begun and not self._decoder.eof:
            raise UnpackingError(f"the {self._coding} body ends in the middle")

    def _step(self, data: bytes) -> bytes:
        try:
            return self._decoder.step(data)
        except MemoryError:
            raise
        except Exception as error:
            raise UnpackingError(f"the body is not {self._coding}") from error

    def _begin_member(self) -> None:
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise UnpackingError(f"the body has more than {MOST_MEMBERS} {self._coding} members")
        self._decoder = self._new()


class _Zlib:
    """gzip and deflate."""

    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)
        self.rest = b""

    @property
    def eof(self) -> bool:
        return self._inner.eof

    def step(self, data: bytes) -> bytes:
        waiting = self._inner.unconsumed_tail
        piece = self._inner.decompress(waiting + data if waiting else data, STEP_BYTES)
        self.rest = self._inner.unused_data
        return piece


class _Deflate:
    """RFC 9110 means zlib's format; some send the bare stream, which the first byte tells apart."""

    def __init__(self) -> None:
        self._inner: _Zlib | None = None
        self.rest = b""

    @property
    def eof(self) -> bool:
        return self._inner is not None and self._inner.eof

    def step(self, data: bytes) -> bytes:
        if self._inner is None:
            if not data:
                return b""
            self._inner = _Zlib(zlib.MAX_WBITS if data[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS)
        piece = self._inner.step(data)
        self.rest = self._inner.rest
        return piece


class _Zstd:
    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.rest = b""

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    def step(self, data: bytes) -> bytes:
        if not data and self._inner.needs_input:
            return b""
        piece: bytes = self._inner.decompress(data, STEP_BYTES)
        self.rest = self._inner.unused_data if self._inner.eof else b""
        return piece


class _Brotli:
    rest = b""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @property
    def eof(self) -> bool:
        return bool(self._inner.is_finished())

    def step(self, data: bytes) -> bytes:
        piece: bytes = self._inner.process(data, output_buffer_limit=STEP_BYTES)
        return piece


def _gzip() -> Callable[[], _Decoder]:
    return lambda: _Zlib(zlib.MAX_WBITS | 16)


def _deflate() -> Callable[[], _Decoder]:
    return _Deflate


def _zstd() -> Callable[[], _Decoder]:
    zstd = _zstd_module()
    options = {zstd.DecompressionParameter.window_log_max: _LARGEST_ZSTD_WINDOW}
    return lambda: _Zstd(zstd.ZstdDecompressor(options=options))


def _zstd_module() -> Any:
    # Part of Python from 3.14 on; before that the same module under another name.
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise UnknownCoding("zstd bodies need the package backports.zstd, which is not installed: send the body as gzip or unpacked")


def _brotli() -> Callable[[], _Decoder]:
    try:
        brotli = importlib.import_module("brotli")
    except ImportError:
        raise UnknownCoding(
            "br bodies need the package brotli, which is not installed: send the body as gzip or unpacked"
        ) from None
    return lambda: _Brotli(brotli.Decompressor())


_DECODERS: dict[str, Callable[[], Callable[[], _Decoder]]] = {"gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd}

CODINGS = frozenset(_DECODERS)
"""What can be unpacked, unless a package is missing."""
