"""One row of the catalog out of one row of each table."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from openclaw_oauthrouter.catalog.families import Families, generation_text
from scripts.update_catalog.sources import MILLION, Table, published_models, published_price, published_window

Row = dict[str, Any]

KEPT_RETIRED = timedelta(days=400)
"""How long a retired model's name is worth a row: requests that still use it are led to its successor."""

_DIALECTS = {
    "/v1/chat/completions": "openai_chat_completions",
    "/v1/responses": "openai_responses",
    "/v1/messages": "anthropic_messages",
}


_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

_SNAPSHOT = re.compile(
    r"(?:[a-z]+\.)*(?P<model>[a-z].*?)[-@](?P<year>20\d\d)-?(?P<month>0[1-9]|1[0-2])-?(?P<day>0[1-9]|[12]\d|3[01])(?:-v\d.*)?"
)


def rows_of(vendor: Mapping[str, Any], table: Table, families: Families, at: datetime) -> list[Row]:
    """All rows of one provider, before corrections."""
    if vendor.get("genai_only"):
        found = _from_prices(vendor, at)
    else:
        found = [row for name, said in table.rows.items() if (row := _from_table(vendor, name, said)) is not None]
    return [row for row in found if _is_of_known_purpose(row, families) and not _is_long_gone(row, at.date())]


def corrected(rows: Sequence[Row], provider: str, corrections: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows with our corrections laid over them."""
    by_id = {row["id"]: dict(row) for row in rows}
    for correction in corrections:
        if correction["provider"] != provider:
            continue
        said = dict(correction["set"])
        model = correction["model"]
        if correction.get("add"):
            like = by_id.get(said.pop("like", ""), {})
            inherited = {key: value for key, value in like.items() if key not in ("released", "retires", "successor", "price")}
            by_id[model] = {**inherited, **by_id.get(model, {}), "provider": provider, "id": model, **said}
            continue
        for name, row in by_id.items():
            if re.fullmatch(model, name):
                row.update(said)
                for column in correction.get("unset", ()):
                    row.pop(column, None)
    return list(by_id.values())


def contradicted(table: Table, families: Families) -> set[tuple[str, str]]:
    """Family and generation of models of which the table says both that they see images and, of another host, that they do not."""
    said: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for name, row in table.rows.items():
        place = families.place(name.rpartition("/")[2]) if row.get("mode") in ("chat", "responses") else None
        if place is not None and isinstance(row.get("supports_vision"), bool):
            said[place.family, generation_text(place.generation)].add(row["supports_vision"])
    return {model for model, answers in said.items() if len(answers) > 1}


def snapshot_days(table: Table) -> dict[str, str]:
    """When models came out, by their name without a provider's: the day of their earliest snapshot, as its name bears it."""
    days: dict[str, str] = {}
    for name in table.rows:
        found = _SNAPSHOT.fullmatch(name.rpartition("/")[2])
        if found is not None:
            day = f"{found['year']}-{found['month']}-{found['day']}"
            days[found["model"]] = min(day, days.get(found["model"], day))
    return days


def _from_table(vendor: Mapping[str, Any], name: str, said: Mapping[str, Any]) -> Row | None:
    prefix = vendor.get("prefix", "")
    if (
        said.get("litellm_provider") != vendor.get("litellm")
        or said.get("mode") not in ("chat", "responses")
        or not name.startswith(prefix)
    ):
        return None
    model = name.removeprefix(prefix)
    if ":" in model or not re.fullmatch(vendor.get("only", r"[^/]+"), model):
        return None
    prices = vendor.get("prices")
    window = published_window(prices, model) if prices else None
    limit = said.get("max_input_tokens")
    row: Row = {
        "provider": vendor["provider"],
        "id": model,
        "context_window": max(filter(None, (window, limit)), default=None),
        "max_input_tokens": limit,
        "max_output_tokens": said.get("max_output_tokens"),
        "images": bool(said.get("supports_vision")),
        "documents": bool(said.get("supports_pdf_input")),
        "audio": bool(said.get("supports_audio_input")),
        # Tables leave this out rather than deny it.
        "tools": said.get("supports_function_calling") is not False,
        "reasoning": bool(said.get("supports_reasoning")),
        "efforts": _efforts(said),
        "protocols": _protocols(said) if vendor.get("protocols") else None,
        "price": _table_price(said),
        "retires": said.get("deprecation_date"),
        "successor": (said.get("successor_model") or "").removeprefix(prefix) or None,
    }
    return row


def _from_prices(vendor: Mapping[str, Any], at: datetime) -> list[Row]:
    provider = vendor["prices"]
    return [
        {
            "provider": vendor["provider"],
            "id": model,
            "context_window": window,
            "list_price": published_price(provider, model, at),
        }
        for model, window in published_models(provider).items()
        if window and re.fullmatch(vendor["only"], model)
    ]


def _protocols(said: Mapping[str, Any]) -> list[str] | None:
    found = [dialect for path, dialect in _DIALECTS.items() if path in said.get("supported_endpoints", ())]
    return found or (["openai_responses"] if said.get("mode") == "responses" else None)


def _table_price(said: Mapping[str, Any]) -> list[float | None] | None:
    names = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost")
    figures = [said.get(name) for name in names]
    if not figures[0] or not figures[1]:
        return None
    while figures[-1] is None:
        figures.pop()
    return [None if figure is None else round(figure * MILLION, 6) for figure in figures]


def _efforts(said: Mapping[str, Any]) -> list[str] | None:
    """Names of effort that the table says a model knows; ``None`` where it says nothing."""
    named = {name: said[f"supports_{name}_reasoning_effort"] for name in _EFFORTS if f"supports_{name}_reasoning_effort" in said}
    if not said.get("supports_reasoning") or not named:
        return None
    return [name for name in _EFFORTS if named.get(name, name in ("low", "medium", "high"))]


def _is_of_known_purpose(row: Row, families: Families) -> bool:
    place = families.place(row["id"])
    return place is not None and not place.family.endswith("-other")


def _is_long_gone(row: Row, today: date) -> bool:
    return bool(row.get("retires")) and date.fromisoformat(row["retires"]) < today - KEPT_RETIRED
