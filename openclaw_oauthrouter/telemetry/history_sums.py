"""Sums of the requests of a span: whole hours from the index's table of hours, what is left at both ends from the requests themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from openclaw_oauthrouter.canonical.json import JsonObject

HOUR = 3_600_000
_MINUTE = 60_000

SUMS = (
    "requests",
    "failed",
    "refused",
    "rerouted",
    "unpriced",
    "input",
    "output",
    "cached",
    "paid",
    "extra",
    "plan",
    "saved",
    "baseline",
)
"""What is summed; ``refused`` are those of the failed that a 4xx ended, ``extra`` is the part of ``paid`` that plans charged on top."""

_KEPT_EACH = 50
_LATEST = 1000
"""Answers whose times the percentiles are made from."""

_STEPS = tuple(hours * HOUR for hours in (1, 2, 3, 4, 6, 12, 24, 48, 24 * 7, 24 * 30))
_MOST_POINTS = 62
_FINE = ((2 * HOUR, _MINUTE), (36 * HOUR, 15 * _MINUTE))
"""Spans up to this length -> how far their points are apart; they are read from the requests."""

_OF_A_REQUEST = (
    "1, failed, failed AND status < 500, rerouted, cost IS NULL AND input IS NOT NULL, ifnull(input, 0), ifnull(output, 0), "
    "ifnull(cached, 0), CASE WHEN plan THEN 0 ELSE ifnull(cost, 0) END, CASE WHEN extra THEN ifnull(cost, 0) ELSE 0 END, "
    "CASE WHEN plan THEN ifnull(cost, 0) ELSE 0 END, ifnull(saved, 0), ifnull(baseline, 0)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another, in milliseconds since 1970; the end is not part of it."""

    since: int
    until: int


def summary(connection: sqlite3.Connection, span: Span) -> JsonObject:
    """Totals, sums by tier, model and client, points over time, and the times of the latest answers."""
    start, step = _points_of(span)
    rows = _rows(connection, span)
    return {
        "total": _by(rows, None).get("", dict.fromkeys(SUMS, 0)),
        "tiers": _by(rows, 0),
        "models": _by(rows, 1),
        "clients": _by(rows, 2),
        "since": span.since,
        "until": span.until,
        "start": start,
        "step": step,
        "points": _over_time(connection, span, start, step),
        "latest": _latest(connection, span),
    }


def _rows(connection: sqlite3.Connection, span: Span) -> list[tuple[tuple[str, ...], tuple[float, ...]]]:
    """Sums for every tier, model and client that met."""
    parts, values = _parts(span, "tier, model, client")
    columns = ", ".join(f"sum({name})" for name in SUMS)
    named = f"SELECT '' AS tier, '' AS model, '' AS client, {', '.join(f'0 AS {name}' for name in SUMS)} WHERE 0"
    found = connection.execute(
        f"SELECT tier, model, client, {columns} FROM ({' UNION ALL '.join([named, *parts])}) GROUP BY 1, 2, 3",  # noqa: S608 - fixed words
        values,
    )
    return [(row[:3], row[3:]) for row in found]


def _parts(span: Span, keys: str, *, whole_hours: bool = True) -> tuple[list[str], list[int]]:
    """Selections that together hold every request of the span once, with the values they take."""
    first, last = -(-span.since // HOUR), span.until // HOUR
    ends = [(span.since, span.until)]
    parts, values = [], []
    if whole_hours and first < last:
        ends = [(span.since, first * HOUR), (last * HOUR, span.until)]
        parts.append(f"SELECT {keys.replace('ts', f'hour * {HOUR}')}, {', '.join(SUMS)} FROM hours WHERE hour >= ? AND hour < ?")  # noqa: S608
        values += [first, last]
    for since, until in ends:
        if since < until:
            parts.append(
                f"SELECT {keys}, {_OF_A_REQUEST} FROM requests CROSS JOIN texts ON texts.id = text WHERE ts >= ? AND ts < ?"  # noqa: S608
                if "model" in keys
                else f"SELECT {keys}, {_OF_A_REQUEST} FROM requests WHERE ts >= ? AND ts < ?"  # noqa: S608 - fixed words
            )
            values += [since, until]
    return parts, values


def _by(rows: Iterable[tuple[tuple[str, ...], tuple[float, ...]]], place: int | None) -> dict[str, dict[str, float]]:
    """Sums by one of the keys, those of most requests first; by none, of all under an empty name."""
    found: dict[str, list[float]] = {}
    for keys, values in rows:
        sums = found.setdefault("" if place is None else keys[place], [0] * len(SUMS))
        for number, value in enumerate(values):
            sums[number] += value
    most = sorted(found.items(), key=lambda item: -item[1][0])[:_KEPT_EACH]
    return {name: dict(zip(SUMS, sums, strict=True)) for name, sums in most}


def _points_of(span: Span) -> tuple[int, int]:
    """Where the first point of a span begins, and how far points are apart."""
    length = span.until - span.since
    for longest, step in _FINE:
        if length <= longest:
            return span.since // step * step, step
    step = next((step for step in _STEPS if length <= step * _MOST_POINTS), _STEPS[-1])
    step = max(step, -(-length // (_MOST_POINTS * 10) // HOUR) * HOUR)
    return span.since // HOUR * HOUR, step


def _over_time(connection: sqlite3.Connection, span: Span, start: int, step: int) -> list[dict[str, float]]:
    parts, values = _parts(span, "ts", whole_hours=step >= HOUR)
    count = max(1, -(-(span.until - start) // step))
    points: list[dict[str, float]] = [dict.fromkeys(SUMS, 0) for _ in range(count)]
    columns = ", ".join(f"sum({name})" for name in SUMS)
    named = f"SELECT 0 AS ts, {', '.join(f'0 AS {name}' for name in SUMS)} WHERE 0"
    found = connection.execute(
        f"SELECT (ts - ?) / ?, {columns} FROM ({' UNION ALL '.join([named, *parts])}) GROUP BY 1",  # noqa: S608 - fixed words
        (start, step, *values),
    )
    for place, *sums in found:
        points[place] = dict(zip(SUMS, sums, strict=True))
    return points


def _latest(connection: sqlite3.Connection, span: Span) -> JsonObject:
    """Milliseconds of the latest answers, sorted: until the first token, and whole."""
    rows = connection.execute(
        "SELECT first, latency FROM requests WHERE ts >= ? AND ts < ? AND failed = 0 ORDER BY ts DESC LIMIT ?",
        (span.since, span.until, _LATEST),
    ).fetchall()
    return {name: sorted(row[place] for row in rows if row[place] is not None) for place, name in enumerate(("first", "whole"))}


def users(connection: sqlite3.Connection, span: Span) -> dict[str, list[JsonObject]]:
    """Who asked which model how often: model -> ``{"client", "agent", "requests"}``, those who asked most first."""
    counts = connection.execute(
        "SELECT model, client, agent, sum(n) FROM (SELECT text, count(*) AS n FROM requests INDEXED BY requests_by_text "
        "WHERE ts >= ? AND ts < ? GROUP BY text) JOIN texts ON texts.id = text GROUP BY 1, 2, 3 ORDER BY 4 DESC",
        (span.since, span.until),
    )
    found: dict[str, list[JsonObject]] = {}
    for model, client, agent, requests in counts:
        found.setdefault(model, []).append({"client": client, "agent": agent, "requests": requests})
    return {model: rows[:_KEPT_EACH] for model, rows in found.items()}
