"""Dead letters: records that could not be used, kept; and as a list, chosen, replayed and settled, or dropped."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NewType

from graph.connection import Reader, Row, Transaction, Writer
from identity.erasure import ERASED, Hashing, told_in
from identity.messages import Rejection, SourceName, micros, moment

PAGE = 500
DROPPED_AT_ONCE = 5_000


RunId = NewType("RunId", str)


@dataclass(frozen=True, slots=True)
class ReadBy:
    """Which mapping read a record that could not be used.

    mapping: its file's name; sha256: of its text, so of its version; given: as `name=value`. webhook: by which it was
    heard, whose settings say the rest.
    """

    mapping: str
    sha256: str | None = None
    given: tuple[str, ...] = ()
    webhook: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be used, as it was kept. run: the load that met it last; None for a request.

    read_by: the mapping that it went through last; None for messages that were sent as such.
    """

    id: str
    source: SourceName
    rejection: Rejection
    at: datetime
    run: RunId | None = None
    read_by: ReadBy | None = None


# dead_letter_id (unique), in the order of ids; what is there stays as it was first met, but for the load and the
# mapping that met it last
KEEP_LETTERS = """
UNWIND $rows AS row
MERGE (letter:DeadLetter {id: row.id})
ON CREATE SET letter += row
ON MATCH SET letter.run = coalesce(row.run, letter.run)
FOREACH (_ IN CASE WHEN row.mapping IS null THEN [] ELSE [1] END |
  SET letter.mapping = row.mapping, letter.mapping_sha256 = row.mapping_sha256, letter.given = row.given,
    letter.webhook = row.webhook
)
"""


# tombstone_hash (unique)
TOMBSTONED = """
UNWIND $hashes AS hash
MATCH (t:Tombstone {hash: hash})
USING INDEX SEEK t:Tombstone(hash)
RETURN t.hash AS hash
"""

# the number of nodes of a label, from the store's own statistics
ARE_TOMBSTONES = "RETURN COUNT { (:Tombstone) } AS many"


async def record_dead_letters(
    writer: Writer,
    source: SourceName,
    rejections: Sequence[Rejection],
    now: datetime,
    hashing: Hashing | None = None,
    *,
    read_by: ReadBy | None = None,
) -> None:
    """Keep records that could not be used; the same at the same place is kept once. Raises DatabaseAwayError.

    hashing: how the erased are known; of a record in which one of them stands the text is not kept. read_by: the
    mapping that could not read them.
    """
    if rejections:
        letters = [DeadLetter("", source, each, now, None, read_by) for each in rejections]
        await writer.write(keep_letters, letters, hashing)


async def keep_letters(tx: Transaction, letters: Sequence[DeadLetter], hashing: Hashing | None) -> None:
    """Keep dead letters in a transaction, each under the id that its text gives it."""
    if letters:
        rows = [letter_facts(each) for each in letters]
        kept = await _without_erased(tx, rows, hashing) if hashing else rows
        await tx.rows(KEEP_LETTERS, rows=sorted(kept, key=lambda row: str(row["id"])))


async def _without_erased(
    tx: Transaction, rows: Sequence[dict[str, object]], hashing: Hashing
) -> list[dict[str, object]]:
    if not (await tx.rows(ARE_TOMBSTONES))[0]["many"]:
        return list(rows)
    told = [{hashing.of_identifier(key) for key in told_in(" ".join(_texts(row)))} for row in rows]
    hashes = sorted(set().union(*told))
    erased = {row["hash"] for row in await tx.rows(TOMBSTONED, hashes=hashes)}
    return [
        {**row, "raw": ERASED, "message_id": None, "sentence": ERASED} if names & erased else row
        for row, names in zip(rows, told, strict=True)
    ]


def _texts(row: Mapping[str, object]) -> list[str]:
    return [str(row[name]) for name in ("raw", "message_id", "sentence") if row[name]]


def letter_id(source: SourceName, rejection: Rejection) -> str:
    """What tells a dead letter from others: whose it is, where it stood, what is wrong with it, and its text."""
    said = (source, rejection.code, rejection.place, rejection.message_id or "", rejection.raw or rejection.sentence)
    return hashlib.sha256("\0".join(said).encode("utf-8", "replace")).hexdigest()


def letter_facts(letter: DeadLetter) -> dict[str, object]:
    """A dead letter as properties, under the id that its text gives it."""
    said, by = letter.rejection, letter.read_by
    return {
        "id": letter_id(letter.source, said),
        "source": letter.source,
        "code": said.code,
        "place": said.place,
        "sentence": said.sentence,
        "message_id": said.message_id,
        "raw": said.raw,
        "at": micros(letter.at),
        "run": letter.run,
        "mapping": by.mapping if by else None,
        "mapping_sha256": by.sha256 if by else None,
        "given": (list(by.given) or None) if by else None,
        "webhook": by.webhook if by else None,
    }


# A label scan: as many rows as there are dead letters, which is why somebody looks at them.
DEAD_LETTERS = """
MATCH (letter:DeadLetter)
WHERE $source IS null OR letter.source = $source
RETURN letter {.*} AS letter
ORDER BY letter.at DESC, letter.id DESC
SKIP $skip
LIMIT $limit
"""


async def dead_letters(
    reader: Reader, source: SourceName | None = None, limit: int = 100, skip: int = 0
) -> tuple[DeadLetter, ...]:
    """The records that could not be used, newest first, of one source or of all. Raises DatabaseAwayError."""
    rows = await reader.rows(DEAD_LETTERS, source=source, skip=skip, limit=limit)
    return tuple(letter_from(row["letter"]) for row in rows)


def letter_from(row: Row) -> DeadLetter:
    """A stored dead letter as a value."""
    run = row.get("run")
    return DeadLetter(
        id=row["id"],
        source=SourceName(row["source"]),
        rejection=Rejection(row["code"], row["place"], row["sentence"], row.get("message_id"), row.get("raw")),
        at=moment(row["at"]),
        run=RunId(run) if run else None,
        read_by=_read_by(row) if row.get("mapping") else None,
    )


def _read_by(row: Row) -> ReadBy:
    return ReadBy(row["mapping"], row.get("mapping_sha256"), tuple(row.get("given") or ()), row.get("webhook"))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which dead letters: those that fit all that is said. ids: beginnings of ids; nothing said: all of them."""

    ids: tuple[str, ...] = ()
    source: SourceName | None = None
    run: RunId | None = None
    code: str | None = None

    def parameters(self) -> dict[str, object]:
        """As the statements of this file take it."""
        return {"ids": list(self.ids), "source": self.source, "run": self.run, "code": self.code}


FITS = """(size($ids) = 0 OR any(start IN $ids WHERE letter.id STARTS WITH start))
  AND ($source IS null OR letter.source = $source)
  AND ($run IS null OR letter.run = $run)
  AND ($code IS null OR letter.code = $code)"""

# dead_letter_id (unique), in its order
CHOSEN_LETTERS = f"""
MATCH (letter:DeadLetter)
USING INDEX SEEK letter:DeadLetter(id)
WHERE letter.id > $after AND {FITS}
WITH letter
ORDER BY letter.id
LIMIT $limit
RETURN letter {{.*}} AS letter
"""

# dead_letter_id (unique), in its order
COUNT_LETTERS = f"""
MATCH (letter:DeadLetter)
USING INDEX SEEK letter:DeadLetter(id)
WHERE letter.id > '' AND {FITS}
RETURN count(letter) AS many
"""

# dead_letter_id (unique), in its order
DROP_LETTERS = f"""
MATCH (letter:DeadLetter)
USING INDEX SEEK letter:DeadLetter(id)
WHERE letter.id > '' AND {FITS}
WITH letter
LIMIT $limit
DELETE letter
RETURN count(*) AS many
"""

# dead_letter_id (unique); who is deleted is locked
TAKE_LETTERS = """
UNWIND $ids AS id
MATCH (letter:DeadLetter {id: id})
USING INDEX SEEK letter:DeadLetter(id)
DELETE letter
RETURN id
"""


async def chosen_letters(reader: Reader, chosen: Chosen, after: str = "", limit: int = PAGE) -> tuple[DeadLetter, ...]:
    """Dead letters in the order of their ids, after the one with an id. Raises DatabaseAwayError."""
    rows = await reader.rows(CHOSEN_LETTERS, after=after, limit=limit, **chosen.parameters())
    return tuple(letter_from(row["letter"]) for row in rows)


async def count_letters(reader: Reader, chosen: Chosen) -> int:
    """How many dead letters fit. Raises DatabaseAwayError."""
    return int((await reader.rows(COUNT_LETTERS, **chosen.parameters()))[0]["many"])


async def drop_letters(writer: Writer, chosen: Chosen) -> int:
    """Forget dead letters for good, and say how many; 5,000 in a transaction. Raises DatabaseAwayError."""
    dropped = 0
    while many := await writer.write(_dropped, chosen):
        dropped += many
    return dropped


async def _dropped(tx: Transaction, chosen: Chosen) -> int:
    return int((await tx.rows(DROP_LETTERS, limit=DROPPED_AT_ONCE, **chosen.parameters()))[0]["many"])


async def settle_letters(
    writer: Writer,
    loaded: Iterable[DeadLetter],
    failed: Iterable[tuple[DeadLetter, Rejection]],
    hashing: Hashing | None = None,
) -> tuple[str, ...]:
    """Take off the list what was loaded, and give what failed again its new reason; the ids of the latter now.

    Call it after the messages were committed: a replay that is killed in between finds the letters again, and their
    messages known. What somebody dropped meanwhile does not come back. Raises DatabaseAwayError.
    """
    again = [(letter, reason) for letter, reason in failed if letter_id(letter.source, reason) != letter.id]
    gone = [letter.id for letter in loaded]
    if gone or again:
        await writer.write(_settled, gone, again, hashing)
    return tuple(letter_id(letter.source, reason) for letter, reason in again)


async def _settled(
    tx: Transaction, gone: Sequence[str], again: Sequence[tuple[DeadLetter, Rejection]], hashing: Hashing | None
) -> None:
    ids = sorted({*gone, *(letter.id for letter, _ in again)})
    there = {row["id"] for row in await tx.rows(TAKE_LETTERS, ids=ids)}
    kept = [(letter, reason) for letter, reason in again if letter.id in there]
    await keep_letters(tx, [replace(letter, rejection=reason) for letter, reason in kept], hashing)
