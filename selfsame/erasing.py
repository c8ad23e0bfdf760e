"""The key of the erasures: what is erased is known again by hashes that nobody without this key can make."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from graph.errors import ErasureKeyError
from identity.erasure import LEAST_KEY_BYTES, Hashing
from selfsame.settings import Settings

KEY_FILE = "erasure.key"


def hashing_of(settings: Settings) -> Hashing | None:
    """The key that is set; else, for the local Neo4j, the one beside its data, made when there is none.

    None for a Neo4j by URI without the setting: nothing can be erased then. Raises ErasureKeyError when the file
    beside the data holds no key.
    """
    if settings.erasure_key is not None:
        return Hashing(bytes.fromhex(settings.erasure_key.get_secret_value()))
    if settings.neo4j_uri:
        return None
    return Hashing(settled_key(settings.data_dir))


def present_hashing(settings: Settings) -> Hashing | None:
    """The same without making one. Raises ErasureKeyError."""
    made = settings.erasure_key is not None or settings.neo4j_uri or (settings.data_dir / KEY_FILE).exists()
    return hashing_of(settings) if made else None


def needed_hashing(settings: Settings) -> Hashing:
    """The same, where there must be one. Raises ErasureKeyError."""
    hashing = hashing_of(settings)
    if hashing is None:
        raise ErasureKeyError(NONE_SET)
    return hashing


NONE_SET = (
    "nothing can be erased without SELFSAME_ERASURE_KEY: set it to 64 or more hexadecimal digits, "
    "keep it for ever, and give it to every process that uses this Neo4j"
)


def settled_key(folder: Path) -> bytes:
    """The key in a data directory; the first to ask makes it, and only its owner can read it."""
    path = folder / KEY_FILE
    if not path.exists():
        _made(folder, path)
    try:
        key = bytes.fromhex(path.read_text("utf-8").strip())
    except ValueError:
        key = b""
    if len(key) < LEAST_KEY_BYTES:
        raise ErasureKeyError(
            f"{path} holds no key of {2 * LEAST_KEY_BYTES} hexadecimal digits; put the right one there"
        )
    return key


def _made(folder: Path, path: Path) -> None:
    """Write a new key whole, then give it its name; of two processes that do so at once, one wins for both."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = folder / f"{KEY_FILE}.{secrets.token_hex(4)}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(LEAST_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
