"""Forms keep every byte but those of the field that is replaced."""

from __future__ import annotations

import httpx
import pytest

from openclaw_oauthrouter.wire.form import Form, FormError

FILE = bytes(range(256)) * 8 + b"\r\n--not-the-boundary\r\n\r\n"


def form(**fields: str) -> tuple[bytes, str]:
    request = httpx.Request("POST", "http://x/", data=fields, files={"file": ("speech.wav", FILE, "audio/wav")})
    return request.read(), request.headers["content-type"]


def test_form_reads_and_replaces_one_field() -> None:
    body, kind = form(model="openai/whisper-1", prompt="model", language="de")
    read = Form(body, kind)
    assert (read.field("model"), read.field("language"), read.field("file"), read.field("none")) == (
        "openai/whisper-1",
        "de",
        None,
        None,
    )
    changed = read.with_field("model", "whisper-1")
    assert changed == body.replace(b"openai/whisper-1", b"whisper-1")
    assert Form(changed, kind).field("model") == "whisper-1"
    assert read.sizes() == (len("openai/whisper-1" + "model" + "de"), len(FILE))


@pytest.mark.parametrize("boundary", ["b", '"a b\'()"', "----WebKitFormBoundaryABC"])
@pytest.mark.parametrize("disposition", ['form-data; name="model"', "form-data; name=model", 'Form-Data;name="model"'])
def test_form_reads_what_other_clients_write(boundary: str, disposition: str) -> None:
    mark = boundary.strip('"')
    body = (
        f"preamble\r\n--{mark}\r\nX-Other: 1\r\nContent-Disposition: {disposition}\r\n\r\nauto\r\n--{mark}--\r\nepilogue".encode()
    )
    read = Form(body, f"multipart/form-data; charset=utf-8; boundary={boundary}")
    assert read.field("model") == "auto"
    assert read.with_field("model", "b") == body.replace(b"auto", b"b")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=b"),
        (b"{}", "multipart/form-data"),
        (b"--b\r\n\r\n", "multipart/form-data; boundary=b"),
        (b"x" * 100, "multipart/form-data; boundary=b"),
    ],
)
def test_form_refuses_what_is_none(body: bytes, kind: str) -> None:
    with pytest.raises(FormError):
        Form(body, kind)


def test_form_part_without_a_name_is_nobodys_field() -> None:
    assert Form(b"--b\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b").field("model") is None
