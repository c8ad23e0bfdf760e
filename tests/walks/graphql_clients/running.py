"""Programs that ask by the real clients of GraphQL: each is told one JSON value and answers one."""

import shutil
import subprocess
from functools import partial
from pathlib import Path

import anyio.to_thread
import orjson
import pytest

from identity.messages import Json
from tests.walks.clients.running import installed, node

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SECONDS = 120


def workplace(folder: Path) -> Path:
    """A folder with all programs, beside the packages that they import."""
    shutil.copytree(HERE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copyfile(ROOT / "schema.graphql", folder / "schema.graphql")
    (folder / "node_modules").symlink_to(installed(HERE) / "node_modules")
    return folder


async def answer_of(place: Path, program: str, **told: Json) -> Json:
    """What a program of a workplace answers to what it is told."""
    return await anyio.to_thread.run_sync(partial(answer_now, place, program, **told), abandon_on_cancel=True)


def answer_now(place: Path, program: str, **told: Json) -> Json:
    """The same where nothing else has to go on meanwhile."""
    return orjson.loads(ran(place, program, orjson.dumps(told).decode()))


def ran(place: Path, program: str, *arguments: str) -> str:
    """What a program of Node's prints that ends well."""
    command = [str(node()), program, *arguments]
    try:
        ended = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as expired:
        pytest.fail(f"{program} did not end in {SECONDS} s; it said {expired.stdout!r} and {expired.stderr!r}")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
