"""``python -m openclaw_oauthrouter`` and both console scripts."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    from openclaw_oauthrouter.cli.root import run

    sys.exit(run())


if __name__ == "__main__":
    main()
