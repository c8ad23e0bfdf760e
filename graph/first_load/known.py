"""Which message ids a history had before, in 24 bytes each: an id is its hash of 128 bits, and so is never kept."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from graph.ingestion import Status
from identity.messages import Message

Hashes = npt.NDArray[np.uint64]
FIRST, REST, SAID = 0, 1, 2


class KnownMessages:
    """The messages of a history so far: their hashes in a few sorted runs, of which small ones become large ones."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def take(self, messages: Sequence[Message], usable: Sequence[bool]) -> list[Status]:
        """What each message is to those before it, also of the same batch; a new one is known from then on.

        usable: whether it names anybody; one that does not is rejected each time that it comes.
        """
        hashed = [_hashed(each) for each in messages]
        known = self._known(hashed)
        here: dict[tuple[int, int], int] = {}
        new = []
        statuses = []
        for (first, rest, said), before, can_be in zip(hashed, known, usable, strict=True):
            earlier = before if before is not None else here.get((first, rest))
            if earlier is not None:
                statuses.append(Status.REPEAT if earlier == said else Status.REPEAT_DIFFERS)
            elif can_be:
                here[first, rest] = said
                new.append((first, rest, said))
                statuses.append(Status.COMMITTED)
            else:
                statuses.append(Status.REJECTED)
        self._keep(new)
        return statuses

    def _known(self, hashed: Sequence[tuple[int, int, int]]) -> list[int | None]:
        """What each of them said when it was there before."""
        asked = np.array(hashed, dtype=np.uint64).reshape(-1, 3)
        found: list[int | None] = [None] * len(asked)
        for run in self._runs:
            place = np.searchsorted(run[:, FIRST], asked[:, FIRST])
            place[place == len(run)] = 0
            equal = (run[place, FIRST] == asked[:, FIRST]) & (run[place, REST] == asked[:, REST])
            for number in np.flatnonzero(equal).tolist():
                found[number] = int(run[place[number], SAID])
        return found

    def _keep(self, new: Sequence[tuple[int, int, int]]) -> None:
        if not new:
            return
        self._runs.append(_sorted(np.array(new, dtype=np.uint64)))
        while len(self._runs) > 1 and len(self._runs[-2]) <= 2 * len(self._runs[-1]):
            self._runs.append(_sorted(np.concatenate([self._runs.pop(), self._runs.pop()])))


def _sorted(run: Hashes) -> Hashes:
    return run[np.argsort(run[:, FIRST], kind="stable")]


def _hashed(message: Message) -> tuple[int, int, int]:
    id_ = blake2b(message.id.encode(), digest_size=16).digest()
    said = blake2b(message.digest.encode(), digest_size=8).digest()
    return int.from_bytes(id_[:8], "little"), int.from_bytes(id_[8:], "little"), int.from_bytes(said, "little")
