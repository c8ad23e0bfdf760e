"""Folders that can be written and have room, or an error that says what to do about it."""

import fcntl
import os
import shutil
from pathlib import Path
from tempfile import TemporaryFile

from graph.server.errors import DiskFullError, FolderNotWritableError

ROOM_MB = 1_024
CACHE_REMEDY = "set XDG_CACHE_HOME to a folder that has room and is yours"
DATA_REMEDY = "set SELFSAME_DATA_DIR to a folder that has room and is yours"


def cache_home() -> Path:
    """Where the desktop standard keeps what can be made again."""
    stem = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(stem) if stem else Path.home() / ".cache") / "selfsame"


def writable(folder: Path, remedy: str) -> Path:
    """The folder, made if it was not there. Raises FolderNotWritableError, whose text ends with the remedy."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise FolderNotWritableError(f"{folder} cannot be written ({error.strerror}); {remedy}") from error


def free_mb(folder: Path) -> int:
    """How many MB the disk of a folder has free."""
    return shutil.disk_usage(folder).free >> 20


def roomy(folder: Path, room_mb: int, remedy: str) -> Path:
    """The folder, if its disk has so many MB free. Raises DiskFullError, whose text ends with the remedy."""
    free = free_mb(folder)
    if free < room_mb:
        raise DiskFullError(f"the disk of {folder} has {free} MB free, {room_mb} MB are needed; {remedy}")
    return folder


def locked(descriptor: int) -> bool:
    """Whether this process now holds the lock of an open file; it holds it until the file is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
