"""A line of the log for each request, at level info."""

from __future__ import annotations

import logging

from openclaw_oauthrouter.canonical.trace import RequestRecord

_log = logging.getLogger("openclaw_oauthrouter.access")


class AccessLog:
    """A trace sink that writes what a web server's access log holds, and the model."""

    name = "access-log"

    def receive(self, record: RequestRecord) -> None:
        """Log one finished request."""
        status = record.status if record.status is not None else "-"
        model = record.model_answered or record.model_resolved or record.model_requested or "-"
        milliseconds = (record.seconds or 0.0) * 1000
        client = record.client or "-"
        _log.info("%s %s %s %s %s %.0f ms %s", record.method, record.path, status, client, model, milliseconds, record.request_id)
