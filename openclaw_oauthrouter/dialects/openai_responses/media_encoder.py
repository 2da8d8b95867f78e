"""Images and documents, as input parts."""

from __future__ import annotations

import mimetypes

from openclaw_oauthrouter.canonical.content import BlobPart, FilePart, UriPart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.media import data_url
from openclaw_oauthrouter.errors import InvalidRequestError


def encode_media(part: BlobPart | UriPart | FilePart) -> JsonObject:
    """An ``input_image`` or ``input_file``.

    :raises InvalidRequestError: it is audio
    """
    if part.modality == "audio":
        raise InvalidRequestError(
            "the Responses API takes no audio; choose a model of a Chat Completions provider", param="messages"
        )
    return _image(part) if part.modality == "image" else _document(part)


def _image(part: BlobPart | UriPart | FilePart) -> JsonObject:
    if isinstance(part, FilePart):
        return {"type": "input_image", "file_id": part.file_id, "detail": "auto"}
    url = part.uri if isinstance(part, UriPart) else data_url(part.mime_type, part.data)
    return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}


def _document(part: BlobPart | UriPart | FilePart) -> JsonObject:
    if isinstance(part, FilePart):
        return {"type": "input_file", "file_id": part.file_id}
    if isinstance(part, UriPart):
        return {"type": "input_file", "file_url": part.uri}
    # The API tells the kind of an inline document by its name.
    filename = part.filename or f"document{mimetypes.guess_extension(part.mime_type) or ''}"
    return {"type": "input_file", "filename": filename, "file_data": data_url(part.mime_type, part.data)}
