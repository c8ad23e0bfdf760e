"""The pages of explorer/, built once for all runs that find the same sources."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.house.reading import ROOT
from tests.walks.clients.running import CACHE, PROGRAMS, installed, npm

HERE = Path(__file__).parent
EXPLORER = ROOT / "explorer"
SECONDS = 300


def built() -> Path:
    """The folder of a workplace in which the pages were checked and built, into `pages`."""
    sources = [each for each in sorted(EXPLORER.rglob("*")) if each.is_file() and "node_modules" not in each.parts]
    wanted = hashlib.sha256()
    for each in sources:
        wanted.update(str(each.relative_to(EXPLORER)).encode() + each.read_bytes())
    place = CACHE / f"explorer-{wanted.hexdigest()[:16]}"
    if not (place / "whole").exists():
        shutil.rmtree(place, ignore_errors=True)
        for each in sources:
            copy = place / each.relative_to(EXPLORER)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(each, copy)
        (place / "node_modules").symlink_to(installed(EXPLORER) / "node_modules")
        _run(place, "check")
        _run(place, "build")
        (place / "whole").touch()
    return place


def _run(place: Path, script: str) -> None:
    ended = subprocess.run(
        [str(npm()), "run", script],
        cwd=place,
        env=os.environ | {"PATH": PROGRAMS, "SELFSAME_PAGES": str(place / "pages")},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
