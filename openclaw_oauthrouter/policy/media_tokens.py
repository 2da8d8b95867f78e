"""Tokens of images, documents and sound: by what they show, never by the length of their base64.

A 1.9 MB picture taken as text would count 638,000 tokens; models count it by its pixels, a few thousand at most.
"""

from __future__ import annotations

import binascii
import struct
from base64 import b64decode
from math import ceil

from openclaw_oauthrouter.canonical.content import BlobPart, Modality

_IMAGE_TOKENS = 1600
_FEWEST_IMAGE_TOKENS = 85
_PIXELS_A_TOKEN = 750
_BYTES_A_PAGE = 50_000
_TOKENS_A_PAGE = 2_000
_MOST_PAGES = 100
_REMOTE_PAGES = 5
_AUDIO_BYTES_A_TOKEN = 1_000
_HEADER_BASE64 = 65_536
"""A JPEG keeps its size behind its metadata, a thumbnail and a colour profile among it."""


def blob_tokens(part: BlobPart) -> int:
    """Inline bytes: an image by its pixels, a document by pages of 50 kB, sound by its length."""
    size = len(part.data) * 3 // 4
    if part.modality == "image":
        return _FEWEST_IMAGE_TOKENS if part.detail == "low" else image_tokens(part.data)
    if part.modality == "document":
        return _TOKENS_A_PAGE * min(_MOST_PAGES, max(1, ceil(size / _BYTES_A_PAGE)))
    return max(1, ceil(size / _AUDIO_BYTES_A_TOKEN))


def remote_tokens(modality: Modality) -> int:
    """Bytes the gateway never sees: a full-size image, a short document."""
    return _IMAGE_TOKENS if modality == "image" else _TOKENS_A_PAGE * _REMOTE_PAGES


def image_tokens(data: str) -> int:
    """Pixels / 750, at least 85 and at most 1600 (larger images are scaled down); 1600 where the size cannot be read.

    :param data: base64
    """
    size = image_size(data)
    if size is None:
        return _IMAGE_TOKENS
    return min(_IMAGE_TOKENS, max(_FEWEST_IMAGE_TOKENS, ceil(size[0] * size[1] / _PIXELS_A_TOKEN)))


def image_size(data: str) -> tuple[int, int] | None:
    """Width and height from the header of a PNG, GIF or JPEG in base64."""
    try:
        head = b64decode(data[:64])
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", head, 16)
            return width, height
        if head.startswith(b"GIF8"):
            width, height = struct.unpack_from("<HH", head, 6)
            return width, height
        if head.startswith(b"\xff\xd8"):
            return _jpeg_size(b64decode(data[:_HEADER_BASE64]))
    except (binascii.Error, ValueError, struct.error):
        return None
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the start of frame."""
    at = 2
    while data[at : at + 1] == b"\xff":
        marker, length = struct.unpack_from(">xBH", data, at)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
    return None
