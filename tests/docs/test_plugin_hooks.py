"""docs/plugin-hooks.md names every hook with its exact arguments, and its examples run."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from openclaw_oauthrouter import hookspecs
from openclaw_oauthrouter.builder import assemble
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.plugins import create_plugin_manager

PAGE = (Path(__file__).parents[2] / "docs" / "plugin-hooks.md").read_text(encoding="utf-8")
HOOKS = {
    name: value
    for name, value in vars(hookspecs).items()
    if name.startswith(("oauthrouter_", "openclaw_")) and not value.openclaw_spec["warn_on_impl"]
}
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def example(section: str) -> ModuleType:
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code
    module = ModuleType("docs_example")
    exec(compile(code[1], "docs/plugin-hooks.md", "exec"), module.__dict__)
    return module


def test_plugin_hooks_every_hook_has_its_section_and_no_other_has() -> None:
    assert set(SECTIONS) == set(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_plugin_hooks_signature_is_exact(name: str) -> None:
    former = HOOKS[name].openclaw_spec["warn_on_impl_args"] or {}
    arguments = ", ".join(argument for argument in inspect.signature(HOOKS[name]).parameters if argument not in former)
    assert f"`{name}({arguments})`" in SECTIONS[name]


@pytest.mark.parametrize("name", HOOKS)
async def test_plugin_hooks_example_fits_and_a_gateway_can_be_assembled_with_it(name: str, tmp_path: Path) -> None:
    module = example(SECTIONS[name])
    assert hasattr(module, name)
    manager = create_plugin_manager(extra=[module], load_entry_points=False)
    order = ["vault", "config"] if name == "oauthrouter_register_credential_sources" else ["config"]
    settings = load_settings(environ={}, overrides={"home": tmp_path, "credentials": {"order": order}}).settings
    runtime = assemble(settings, manager)
    await runtime.aclose()


@pytest.mark.parametrize("begins", ["import pluggy", "from dataclasses import dataclass, replace"])
def test_plugin_hooks_other_examples_run(begins: str) -> None:
    code = re.search(rf"```python\n({begins}.*?)```", PAGE, re.DOTALL)
    assert code
    exec(compile(code[1], "docs/plugin-hooks.md", "exec"), {})
