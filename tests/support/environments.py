"""Python environments of their own, for distributions that must really be installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import openclaw_oauthrouter

REPOSITORY = Path(openclaw_oauthrouter.__file__).parents[1]
SAMPLE = Path(__file__).parents[1] / "plugins" / "sample"
"""A third party's distribution."""


def environment_with(distribution: Path, folder: Path) -> Path:
    """Make an environment that sees our package and its dependencies, and let pip install a distribution into it.

    :param folder: where it shall lie
    :return: its interpreter
    """
    home = folder / "environment"
    venv.create(home, with_pip=True)
    interpreter = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = home / "Lib" / "site-packages" if os.name == "nt" else next(home.glob("lib/python*/site-packages"))
    # The dependencies are lent by this environment; installing them again would only test pip.
    (site / "lent.pth").write_text("\n".join([str(REPOSITORY), *(path for path in sys.path if path.endswith("site-packages"))]))
    source = shutil.copytree(distribution, folder / "source")  # building leaves files behind
    command = [interpreter, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", source]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return interpreter
