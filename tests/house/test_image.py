"""What of the Docker image can be checked without Docker: what is sent to be built, and what it says of the service."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from shutil import copy, copytree, ignore_patterns
from typing import Any
from zipfile import ZipFile

import yaml
from hatchling.builders.wheel import WheelBuilder

from graph.connection import PATIENCE_SECONDS
from selfsame import app, running, tracing
from selfsame.settings import PREFIX, Settings
from tests.house.reading import ROOMS, ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
SENT = [line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] == "!"]


def test_the_wheel_of_what_is_sent_has_every_file_of_every_room(tmp_path: Path) -> None:
    """A room that `.dockerignore` forgets is missing from the image without a word, until somebody starts it."""
    for name in SENT:
        if (ROOT / name).is_dir():
            copytree(ROOT / name, tmp_path / name, ignore=ignore_patterns("__pycache__", "node_modules", "pages"))
        else:
            copy(ROOT / name, tmp_path / name)
    (built,) = WheelBuilder(str(tmp_path)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    kept = {name for name in ZipFile(built).namelist() if name.partition("/")[0] in ROOMS}
    there = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and not {"__pycache__", "pages"} & set(path.parts)
    }
    assert there - kept == set()


def test_everything_that_is_copied_into_the_image_is_there_and_is_sent() -> None:
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
        if name != "."
    ]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists() or name.split("/")[0] not in SENT] == []


def test_every_setting_that_the_image_and_compose_name_is_one() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    named = {*re.findall(rf"{PREFIX}\w+(?==)", DOCKERFILE), *COMPOSE["selfsame"]["environment"]}
    assert {name for name in named if name.startswith(PREFIX)} - known == set()


def test_the_image_can_build_its_pages_and_send_traces() -> None:
    locked = (ROOT / "requirements.lock").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for extra in ("demo", "otel"):
        for name in (re.split(r"[>=;\[ ]", each)[0] for each in project[extra]):
            assert f"\n{name}==" in locked, name


def test_compose_asks_for_a_route_there_is_and_waits_longer_than_the_end_of_a_service_takes() -> None:
    service = COMPOSE["selfsame"]
    (asked,) = re.findall(r"http://127\.0\.0\.1:(\d+)(/[\w/]+)", service["healthcheck"]["test"][-1])
    assert asked == (re.findall(r"SELFSAME_PORT=(\d+)", DOCKERFILE)[0], "/health/ready")
    longest = (
        running.PARTING_SECONDS
        + running.GOING_DOWN_SECONDS
        + app.ENDING_SECONDS
        + tracing.FLUSH_SECONDS
        + PATIENCE_SECONDS  # the driver's, where Neo4j is away
    )
    assert longest <= int(service["stop_grace_period"].removesuffix("s"))
