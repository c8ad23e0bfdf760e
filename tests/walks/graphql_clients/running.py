"""Programs that ask by the real clients of GraphQL: each is told one JSON value and answers one."""

import shutil
import subprocess
from functools import partial
from pathlib import Path

import anyio.to_thread
import orjson

from identity.messages import Json
from tests.walks.clients.running import installed, node

HERE = Path(__file__).parent
SECONDS = 120


def workplace(folder: Path) -> Path:
    """A folder with all programs, beside the packages that they import."""
    for file in HERE.iterdir():
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    (folder / "node_modules").symlink_to(installed(HERE) / "node_modules")
    return folder


async def answer_of(place: Path, program: str, **told: Json) -> Json:
    """What a program of a workplace answers to what it is told."""
    run = partial(ran, place, program, orjson.dumps(told).decode())
    return orjson.loads(await anyio.to_thread.run_sync(run, abandon_on_cancel=True))


def ran(place: Path, program: str, *arguments: str) -> str:
    """What a program of Node's prints that ends well."""
    ended = subprocess.run(
        [str(node()), program, *arguments], cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
