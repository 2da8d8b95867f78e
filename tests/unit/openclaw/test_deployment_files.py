"""Dockerfile and compose file fit together, and keep what they promise."""

import re
from pathlib import Path

import pytest
import yaml

from openclaw_oauthrouter.config.loading import ENVIRONMENT

ROOT = Path(__file__).parents[3]


@pytest.fixture
def services() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def test_compose_publishes_on_loopback_only(services: dict) -> None:
    assert services["gateway"]["ports"] == ["127.0.0.1:8402:8402"]
    assert "ports" not in services["redis"]


def test_compose_sets_only_variables_that_exist(services: dict) -> None:
    names = {name for name in services["gateway"]["environment"] if name.startswith("OAUTHROUTER_")}
    assert names <= ENVIRONMENT.keys()


def test_compose_uses_the_redis_it_starts(services: dict) -> None:
    gateway = services["gateway"]
    assert gateway["environment"]["OAUTHROUTER_STATE_URL"].startswith("redis://redis:")
    assert gateway["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert "healthcheck" in services["redis"]


def test_compose_names_every_volume_it_uses(services: dict) -> None:
    declared = yaml.safe_load((ROOT / "compose.yaml").read_text())["volumes"]
    used = {mount.partition(":")[0] for service in services.values() for mount in service["volumes"]}
    assert used == declared.keys()


def test_deployment_files_image_runs_without_root_on_known_variables() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER gateway$", text, re.MULTILINE)
    assert set(re.findall(r"\b(OAUTHROUTER_\w+)=", text)) <= ENVIRONMENT.keys()


def test_deployment_files_image_copies_what_the_build_needs() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    wanted = {name for line in copied for name in line.split()}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert wanted == allowed
    assert all((ROOT / name).exists() for name in wanted)


def test_deployment_files_three_gateways_share_one_redis_behind_one_address() -> None:
    services = yaml.safe_load((ROOT / "compose.three.yaml").read_text())["services"]
    assert services["gateway"]["deploy"]["replicas"] == 3
    assert services["gateway"]["environment"]["OAUTHROUTER_STATE_URL"].startswith("redis://redis:")
    assert [name for name, service in services.items() if service.get("ports")] == ["balancer"]
    assert services["balancer"]["ports"] == ["127.0.0.1:8402:8402"]
    names = {name for name in services["gateway"]["environment"] if name.startswith("OAUTHROUTER_")}
    assert names <= ENVIRONMENT.keys()
