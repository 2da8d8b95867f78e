"""The plugin as an npm package: OpenClaw's own installer takes it, it makes its Python environment, and takes it away again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_oauthrouter.openclaw.manifest import SHIM
from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.openclaw.conftest import Host
from tests.support.real_programs import Upstream, program, wait_until

PACKAGE = Path(__file__).parents[2] / "packages" / "openclaw-plugin"


def test_npm_package_package_is_what_the_shim_is() -> None:
    manifest = json.loads((PACKAGE / "package.json").read_text())
    shim = json.loads((SHIM / "package.json").read_text())
    assert (manifest["version"], manifest["type"]) == (shim["version"], "module")
    assert manifest["openclaw"]["extensions"] == shim["openclaw"]["extensions"]
    assert manifest["openclaw"]["install"]["minHostVersion"] == shim["openclaw"]["install"]["minHostVersion"]
    copied = {path.name for path in SHIM.iterdir()} - {"package.json"}
    ignored = set((PACKAGE / ".gitignore").read_text().splitlines())
    assert copied <= ignored


def packed(folder: Path) -> Path:
    """The package as npm would publish it."""
    node = program("OAUTHROUTER_E2E_NODE")
    copy = folder / "checkout" / "packages" / "openclaw-plugin"
    shutil.copytree(PACKAGE, copy)
    shutil.copytree(SHIM, folder / "checkout" / "openclaw_oauthrouter" / "openclaw" / "shim")
    npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environ = {**os.environ, "PATH": f"{node.parent}:{os.environ['PATH']}", "HOME": str(folder)}
    subprocess.run([node, npm, "pack", "--pack-destination", folder], cwd=copy, env=environ, check=True, capture_output=True)
    return next(folder.glob("*.tgz"))


def wheel(folder: Path) -> Path:
    """A folder with this checkout as a wheel, for pip to find beside its usual index."""
    folder.mkdir()
    source = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.mark.e2e
@pytest.mark.timeout(700)
def test_installed_run_and_removed_by_openclaw(host: Host, upstream: Upstream, tmp_path: Path) -> None:
    host.state.mkdir(parents=True)
    (host.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    configuration = Path.home() / ".config" / "pip" / "pip.conf"
    if configuration.is_file():
        pip.setdefault("PIP_CONFIG_FILE", str(configuration))
    links = f"{wheel(tmp_path / 'wheels')} {pip.get('PIP_FIND_LINKS', '')}".strip()
    host.environ |= {**pip, "PIP_FIND_LINKS": links}
    host.openclaw("plugins", "install", "--force", "--accept-capabilities", str(packed(tmp_path)))
    host.openclaw("models", "set", "oauthrouter/auto")
    with host.gateway():
        wait_until(host.python_pids, "the environment is made and the gateway runs", seconds=300)
        assert host.turn("hello there")
        (environment,) = (host.home / ".openclaw").rglob("python-environment")
        assert (environment / "oauthrouter-version").read_text().startswith("openclaw-oauthrouter==")
        host.openclaw("plugins", "uninstall", "--force", "oauthrouter")
    assert not environment.exists()
