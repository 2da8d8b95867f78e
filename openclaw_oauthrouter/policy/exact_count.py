"""Exact token counts offline, through the extra ``tokens``; loaded only when a limit is near, never while a request waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.util import find_spec

_ENCODING = "o200k_base"


class ExactCounter:
    """A tokenizer that loads in the background when it is first asked for: loading takes most of a second."""

    def __init__(self) -> None:
        self._count: Callable[[str], int] | None = None
        self._loading: threading.Thread | None = None

    def counter(self) -> Callable[[str], int] | None:
        """Counts a text; ``None`` while it loads, and for good where the extra is not installed."""
        if self._count is None and self._loading is None and find_spec("quicktok") is not None:
            self._loading = threading.Thread(target=self._load, name="load-tokenizer", daemon=True)
            self._loading.start()
        return self._count

    def wait(self) -> None:
        """Until it has loaded; blocks."""
        if self._loading is not None:
            self._loading.join()

    def _load(self) -> None:
        import quicktok

        encoding = quicktok.get_encoding(_ENCODING)
        self._count = encoding.count
