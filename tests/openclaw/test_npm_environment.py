"""The Python environment of the npm package: made, found again, updated in place, and left as it is when an update fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.openclaw.test_npm_package import PACKAGE
from tests.support.real_programs import program

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

UV = """#!/bin/sh
echo "$*" >> "{log}"
case "$1 $2" in
  "venv --python") mkdir -p "$4/bin" && printf '#!/bin/sh\\n[ -e "{ours}" ]\\n' > "$4/bin/python" && chmod +x "$4/bin/python" ;;
  "pip install") [ ! -e "{broken}" ] && touch "{ours}" ;;
esac
"""
SCRIPT = """
import { environment } from "%s";
const said = [];
const log = { info: (line) => said.push(line), warn: (line) => said.push(`WARN ${line}`) };
const own = environment(process.argv[1]);
const before = own.isReady();
let error;
if (!before) await own.make(log).catch((failed) => (error = failed.message));
console.log(JSON.stringify({ before, after: own.isReady(), said, error: error ?? null }));
"""


class Plugin:
    """The package's module in a folder of its own, with a uv that only notes what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder / "plugin", folder / "state"
        self.folder.mkdir()
        shutil.copy(PACKAGE / "environment.js", self.folder)
        self.broken, self.log = folder / "broken", folder / "uv.log"
        uv = folder / "bin" / "uv"
        uv.parent.mkdir()
        uv.write_text(UV.format(log=self.log, ours=folder / "ours", broken=self.broken))
        uv.chmod(0o755)
        self.path = f"{uv.parent}:{os.environ['PATH']}"

    def start(self, version: str) -> dict[str, object]:
        manifest = {"version": version, "type": "module", "oauthrouter": {"distribution": "ours"}}
        (self.folder / "package.json").write_text(json.dumps(manifest))
        node = program("OAUTHROUTER_E2E_NODE")
        script = SCRIPT % (self.folder / "environment.js").as_uri()
        words = [node, "--input-type=module", "-e", script, "--", self.state]
        done = subprocess.run(
            words, env={**os.environ, "PATH": self.path}, capture_output=True, text=True, check=True, timeout=60
        )
        found: dict[str, object] = json.loads(done.stdout)
        return found

    def asked(self) -> list[str]:
        lines = [line.split() for line in self.log.read_text().splitlines()]
        self.log.unlink()
        return [words[0] if words[0] != "pip" else words[-1] for words in lines if words[0] != "--version"]


def test_environment_is_made_found_updated_and_kept_when_an_update_fails(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path)
    first = plugin.start("1.0")
    assert (first["before"], first["after"], first["error"]) == (False, True, None)
    assert plugin.asked() == ["venv", "ours==1.0"]
    assert plugin.start("1.0")["before"] is True

    assert plugin.start("1.1")["after"] is True
    assert plugin.asked() == ["ours==1.1"]

    plugin.broken.touch()
    failed = plugin.start("1.2")
    assert (failed["after"], failed["error"]) == (False, None)
    assert "the former version goes on" in str(failed["said"])
    plugin.broken.unlink()
    assert plugin.start("1.2")["after"] is True


def test_environment_that_cannot_be_made_is_an_error_that_says_why(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path)
    plugin.broken.touch()
    failed = plugin.start("1.0")
    assert failed["after"] is False
    assert "pip install" in str(failed["error"])
