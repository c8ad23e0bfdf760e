"""Which partitions of a stream are ours, and how far each of them is: bookkeeping without a broker."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One of the logs that make up a topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A record as a broker holds it.

    turn: which of our holdings of the partition it came in. headers: of those with one name the last; at: when its
    producer or broker stamped it.
    """

    partition: Partition
    offset: int
    value: bytes | None
    turn: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None

    @property
    def place(self) -> str:
        """Where it stands, for people and as the id of what has no own."""
        return f"{self.partition.topic}:{self.partition.number}:{self.offset}"


class Holdings:
    """The partitions that a member of a group holds, each in a turn of its own.

    Given away and taken back, a partition begins anew at what the group knows; what was read of it before is nobody's.
    """

    def __init__(self) -> None:
        self._turns: dict[Partition, int] = {}
        self._owed: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        self._ended: set[Partition] = set()
        self._given = 0

    @property
    def held(self) -> tuple[Partition, ...]:
        """Those that are ours, in order."""
        return tuple(sorted(self._turns))

    @property
    def ended(self) -> bool:
        """Whether partitions were handed out, and of ours each was read to its end; holding none is an end, too."""
        return self._given > 0 and self._ended >= self._turns.keys()

    @property
    def owed(self) -> Mapping[Partition, int]:
        """The offsets behind what is done, as far as the group does not know them."""
        return dict(self._owed)

    @property
    def next(self) -> Mapping[Partition, int]:
        """The offset behind what is done of each partition of which anything is."""
        return dict(self._next)

    def turn(self, partition: Partition) -> int:
        """The turn in which a partition is ours, 0 where it is not."""
        return self._turns.get(partition, 0)

    def gained(self, partitions: Iterable[Partition]) -> None:
        """Partitions are ours from now on; none at all is an answer of the group, too."""
        self._given += 1
        for each in partitions:
            self._turns[each] = self._given

    def gone(self, partitions: Iterable[Partition]) -> None:
        """Partitions are ours no longer, and nothing of them is ours to tell the group."""
        for each in partitions:
            self._turns.pop(each, None)
            self._owed.pop(each, None)
            self._next.pop(each, None)
            self._ended.discard(each)

    def ours(self, records: Sequence[Arrived]) -> tuple[Arrived, ...]:
        """Those of some records that came in a turn that lasts."""
        return tuple(each for each in records if each.turn and each.turn == self.turn(each.partition))

    def read(self, record: Arrived) -> None:
        """A record came, so its partition is not at its end."""
        self._ended.discard(record.partition)

    def at_end(self, partition: Partition, offset: int) -> None:
        """A partition was read to its end, which has this offset."""
        if partition in self._turns:
            self._ended.add(partition)
            self._next.setdefault(partition, offset)

    def done(self, records: Sequence[Arrived]) -> None:
        """Records are in the graph; nothing changes for those of partitions that are not ours any more."""
        for each in self.ours(records):
            self._owed[each.partition] = self._next[each.partition] = each.offset + 1

    def told(self, offsets: Mapping[Partition, int]) -> None:
        """The group knows these offsets."""
        for partition, offset in offsets.items():
            if self._owed.get(partition) == offset:
                del self._owed[partition]
