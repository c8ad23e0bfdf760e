"""A disk that runs full: a file system in memory that shrinks, or where none may be mounted a limit on Neo4j's files.

Under the limit a write fails as `File too large` and not as `No space left on device`; Neo4j stops at either.
"""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LARGE = "3g"  # more than a start asks for; only what is written takes memory
LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Disk:
    """Where data lie. mounted: whether the disk is one of its own."""

    folder: Path
    mounted: bool

    def fill(self, neo4j: int) -> None:
        """Leave a megabyte to what is written from now on by a Neo4j, whose process this is."""
        if self.mounted:
            stat = os.statvfs(self.folder)
            used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize
            _run("mount", "-o", f"remount,size={used + LIMIT_BYTES}", str(self.folder))
        else:
            resource.prlimit(neo4j, resource.RLIMIT_FSIZE, (LIMIT_BYTES, LIMIT_BYTES))

    def mend(self) -> None:
        """Room again; a limit ends with the process that had it."""
        if self.mounted:
            _run("mount", "-o", f"remount,size={LARGE}", str(self.folder))


@contextmanager
def disk_at(folder: Path) -> Iterator[Disk]:
    """A disk at a folder, which is made."""
    folder.mkdir(parents=True)
    mounted = os.geteuid() == 0 and _run("mount", "-t", "tmpfs", "-o", f"size={LARGE}", "tmpfs", str(folder))
    try:
        yield Disk(folder, mounted)
    finally:
        if mounted:
            _run("umount", "--lazy", str(folder))


def _run(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
