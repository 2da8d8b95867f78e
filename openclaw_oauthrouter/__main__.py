"""``python -m openclaw_oauthrouter`` and both console scripts."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    # httpx looks for what its own command needs (rich, pygments) whenever it is imported, a fifth of our start; without it, it has none.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

    from openclaw_oauthrouter.cli.root import run

    sys.exit(run())


if __name__ == "__main__":
    main()
