"""``python -m openclaw_oauthrouter`` and both console scripts."""

from __future__ import annotations

import gc
import sys

_GC_THRESHOLD = 500_000
"""New objects after which the collector looks; imports make tens of thousands that stay, which it would walk through 150 times."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(_GC_THRESHOLD)
    # httpx looks for what its own command needs (rich, pygments) whenever it is imported, a fifth of our start; without it, it has none.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

    from openclaw_oauthrouter.cli.program import main as run_program

    sys.exit(run_program())


if __name__ == "__main__":
    main()
