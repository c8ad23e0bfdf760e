"""Dead letters as a list to work off: some of them chosen, replayed and settled, or dropped."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graph.connection import Reader, Transaction, Writer
from graph.runs import DeadLetter, Run, RunId, keep_letters, letter_from, letter_id, run_from
from identity.erasure import Hashing
from identity.messages import Rejection, SourceName

PAGE = 500
DROPPED_AT_ONCE = 5_000


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
RETURN letter {{.*}} AS letter
ORDER BY letter.id
LIMIT $limit
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

# run_id (unique)
RUNS_NAMED = """
UNWIND $ids AS id
MATCH (run:Run {id: id})
USING INDEX SEEK run:Run(id)
RETURN run {.*} AS run
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


async def runs_named(reader: Reader, ids: Iterable[RunId]) -> Mapping[RunId, Run]:
    """The runs with these ids that there are. Raises DatabaseAwayError."""
    rows = await reader.rows(RUNS_NAMED, ids=sorted(set(ids)))
    return {run.id: run for run in (run_from(row["run"]) for row in rows)}


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
    await keep_letters(
        tx, [DeadLetter("", letter.source, reason, letter.at, letter.run) for letter, reason in kept], hashing
    )
