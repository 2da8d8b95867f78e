"""Whose fault a refusal is: one table of what vendors say, for every dialect. The words decide; the status only where they are silent."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.refusal_table import (
    A_MODEL,
    BY_STATUS,
    CONTENT,
    CONTENT_CODES,
    CONTENT_FIELDS,
    GENERAL_CODES,
    LACKING,
    MISSING,
    MODERATED,
    MONEY,
    MORE_EXACT,
    NOBODY,
    OURS,
    OWN_PAGES,
    PATH,
    ROWS,
    Blame,
    spelling,
)
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import (
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamContextError,
    UpstreamEndpointError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)

MOST_QUOTED = 2000
"""Characters of a provider's words that are kept."""


@value(frozen=True, slots=True)
class Statement:
    """What an upstream said when it refused, whoever's shape it had.

    :ivar status: the HTTP status; ``None`` for an error within a stream that names none
    :ivar told: the status that stands in the body, where a relay answers with one of its own
    :ivar page: the body was a web page, or no JSON at all
    :ivar bare: the body said nothing in words
    """

    status: int | None
    message: str
    type: str | None = None
    code: str | None = None
    param: str | None = None
    page: bool = False
    bare: bool = False
    told: int | None = None


_CLASS_OF: dict[Blame, type[UpstreamError]] = {
    "context": UpstreamContextError,
    "key": UpstreamAuthenticationError,
    "account": UpstreamAuthenticationError,
    "access": UpstreamAuthenticationError,
    "quota": UpstreamBillingError,
    "rate": UpstreamRateLimitError,
    "model": UpstreamModelError,
    "capacity": UpstreamOverloadedError,
    "endpoint": UpstreamEndpointError,
    "time": UpstreamTimeout,
}
_PERMISSION = "upstream_permission"


_ABSENT = ("", "none", "null", "undefined", "nil")
_ADDRESS = lazily(r"\bhttps?://[^\s\"'<>]+", re.IGNORECASE)
_QUOTED = lazily(r"""(?<![\w"'`])(["'`])(?=[^"'`\s]*\s)[^"'`]{1,500}\1(?![\w"'`])""")
"""Several words between quotation marks, and addresses: a client's own as a rule, so they speak for nobody's fault."""

_SENT = lazily(r"""["'](?:input|value)["']: ?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
"""What was sent, in the errors that pydantic writes."""

_ABOUT_CONTENT = (0, 400, 404, 406, 413, 414, 415, 422)
"""Statuses with which the general words of a request's parts count; with others they are words like any."""

_MODERATING = (400, 403, 404, 406, 422, 451)
"""Statuses with which vendors say that a request's words are not wanted."""


def blame_of(refusal: Statement) -> Blame:
    """Whose fault a refusal is: its code, its parameter, its words decide, and its status only where they are silent."""
    refusal = _readable(refusal)
    status = refusal.status or 0
    exact, general = _by_code(refusal, status)
    known = general or BY_STATUS.get(status) or (_told(refusal) if status < 500 else None)
    if exact is not None:
        return exact
    if status == 407 or (refusal.page and status < 500 and status not in OWN_PAGES):
        return "endpoint"
    if refusal.bare or refusal.page:
        return known or ("endpoint" if status == 404 else "unsaid")
    if status in _MODERATING and MODERATED.search(refusal.message) and _said(refusal.message) not in ("account", "key"):
        return "request"
    if status < 500 and known in (None, "ability"):
        at_fault = _content(refusal)
        if at_fault is not None:
            return at_fault
    return _by_words(refusal.message, status, known)


def _readable(refusal: Statement) -> Statement:
    """The words that are the provider's own; what is absent is absent, however it is spelt: LiteLLM's proxy writes ``"param": "None"``."""
    type_, code, param = (
        None if word is None or word.lower() in _ABSENT else word for word in (refusal.type, refusal.code, refusal.param)
    )
    words = _ADDRESS.sub(" ", refusal.message.replace("\u2019", "'"))
    words = _SENT.sub(" ", words) if words.startswith(("[", "{")) else _QUOTED.sub(" ", words)
    return replace(refusal, message=words, type=type_, code=code, param=param)


def _told(refusal: Statement) -> Blame | None:
    """What the status in the body says, unless the words say more."""
    told = refusal.told or next((int(word) for word in (refusal.code, refusal.type) if word and word.isdecimal()), 0)
    return BY_STATUS.get(told) if _said(refusal.message) is None and not CONTENT.search(refusal.message) else None


def _content(refusal: Statement) -> Blame | None:
    """Whether a refusal points at a place of the request: what it says behind that may quote the client."""
    said = _said(refusal.message)
    if PATH.match(refusal.message):
        return "ability" if said == "ability" else "request"
    root = _root(refusal)
    if root == "model":
        return said if said in ("access", "account", "quota", "capacity") else "model"
    if not root or root in OURS:
        return None
    if said in ("account", "access", "quota", "ability", "context"):
        return said
    return said if said in ("key", "rate", "capacity") and root not in CONTENT_FIELDS else "request"


def _said(message: str) -> Blame | None:
    return next((row.blame for row in ROWS if row.says(message)), None)


def _by_words(message: str, status: int, known: Blame | None) -> Blame:
    said = _said(message)
    if status == 403 and said not in ("key", "quota", "rate", "capacity") and A_MODEL.search(message):
        return "access"
    if known is not None:
        # Words make more exact what a status or code says in general, if they can go with it.
        if known == "rate" and said == "quota" and not MONEY.search(message):
            return known
        return said if said is not None and (known == "endpoint" or said in MORE_EXACT.get(known, ())) else known
    if status >= 500:
        if said == "ability":
            return said if LACKING.search(message) else "unsaid"
        return said if said is not None and (said != "model" or NOBODY.search(message)) else "unsaid"
    if status == 404:
        return _not_found(message, said)
    if said is not None:
        return said
    return "request" if status in _ABOUT_CONTENT and CONTENT.search(message) else "unsaid"


def _not_found(message: str, said: Blame | None) -> Blame:
    if MISSING.search(message):
        return "request"
    if said is not None and not (said == "account" and A_MODEL.search(message)):
        return said
    return "model" if A_MODEL.search(message) else "endpoint"


def _by_code(refusal: Statement, status: int) -> tuple[Blame | None, Blame | None]:
    """What the vendor's own word says: for certain, and in general."""
    general: Blame | None = None
    for code in (refusal.code, refusal.type):
        if not code:
            continue
        word = spelling(code)
        if word in CONTENT_CODES and status < 500:
            return _at_fault(refusal), None
        for row in ROWS:
            if word in row.codes:
                return row.blame, None
        general = general or GENERAL_CODES.get(word)
    return None, general


def _at_fault(refusal: Statement) -> Blame:
    """Of a value that is not wanted: a place of the client's words is the request's, of another one the model may be what lacks something."""
    return "ability" if _root(refusal) not in ("", *CONTENT_FIELDS) and _said(refusal.message) == "ability" else "request"


def _root(refusal: Statement) -> str:
    return re.split(r"[.\[]", refusal.param or "", maxsplit=1)[0].strip().lower()


def refusal_error(
    refusal: Statement,
    *,
    now: float,
    retry_after: float | None = None,
    request_id: str | None = None,
    kind: type[UpstreamError] | None = None,
    code: str | None = None,
    otherwise_status: int = 502,
) -> UpstreamError:
    """The error of our tree that a refusal is.

    :param now: Unix seconds, for a day that the words name
    :param kind: what the dialect knows better than the table
    :param code: what the client's ``code`` shall be; the class's own when absent
    :param otherwise_status: of a refusal that names no status
    """
    blame = blame_of(refusal)
    found = kind or _CLASS_OF.get(blame, UpstreamStatusError)
    if kind is not None and _CLASS_OF.get(blame) is not kind:
        blame = next((each for each, cls in _CLASS_OF.items() if cls is kind), blame)
    if retry_after is None and blame in ("quota", "rate", "capacity"):
        retry_after = told_day(refusal.message, now)
    if found is UpstreamStatusError:
        status = refusal.status or otherwise_status
        error: UpstreamError = UpstreamStatusError(refusal.message, status_code=status, code=code or refusal.code)
    else:
        permission = _PERMISSION if blame in ("account", "access") else None
        error = found(refusal.message, code=code or permission, upstream_status=refusal.status)
    error.retry_after = error.retry_after if retry_after is None else retry_after
    error.param, error.upstream_type, error.request_id = refusal.param, refusal.type or refusal.code, request_id
    error.blame = blame
    return error


_REGAIN = lazily(
    r"(?:regain access|resets?|available again|try again|resume|renews?|until)\D{0,30}?(\d{4}-\d{2}-\d{2})(?:[T ]+(?:at )?(\d{2}:\d{2}))?",
    re.IGNORECASE,
)
_LONGEST_WAIT = 40 * 86_400.0


def told_day(message: str, now: float) -> float | None:
    """Seconds until the day that a refusal's words name, in UTC; ``None`` when they name none, or one out of all reason.

    Anthropic: "You will regain access on 2026-12-01 at 00:00 UTC". Waits such as "in 20s" are read by ``wire.retry_after``.
    """
    found = _REGAIN.search(message)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return moment - now if 0 <= moment - now <= _LONGEST_WAIT else None


_TITLE = lazily(r"<title[^>]*>\s*([^<]{1,200}?)\s*</title>", re.IGNORECASE)
_PAGE = lazily(r"^\s*(?:<!doctype|<html|<\?xml|<head|<body|<h1|<center|<!--|<)", re.IGNORECASE)


def words_of_page(status: int, body: bytes) -> tuple[str, bool, bool]:
    """What to say of a body that is no JSON: message, whether it is a web page or stray text, whether it says nothing.

    A page is titled, never quoted: it is not for the client, and may hold anything.
    """
    text = body[: 1 << 16].decode("utf-8", "replace").strip()
    if not text:
        return f"the provider answered {status} and gave no reason", False, True
    if _PAGE.match(text):
        title = _TITLE.search(text)
        named = f" titled {' '.join(title[1].split())!r}" if title else ""
        return f"the provider answered {status} with a web page{named} instead of an answer of its API", True, False
    return text[:MOST_QUOTED], False, False
