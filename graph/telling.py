"""What a transaction changes, as those hear of it who listen: noted while it works, written once, with it.

One small node for each transaction, and one for each segment that people enter or leave in it; never one for each
message, and no counter: that would make writers wait for each other. It names mints and ids, never a value. What
follows from it is in graph/feed.py.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

# new nodes that nothing else knows of yet
TELL = """
UNWIND $rows AS facts
CREATE (entry:FeedEntry:Unsequenced)
SET entry = facts
"""


@dataclass(slots=True)
class Told:
    """What a transaction has noted so far. Only what is committed is ever heard of.

    touched: mints of identifiers and ids of profiles of which something may be different now. messages: ids of new
    interactions. changes: ids of rows of the log. runs: whose counts are others. everyone: whether each profile may be
    different, as under another policy. members: by the key of a segment, the mints of who entered it and who left it.
    removed: the keys of segments that are no more.
    """

    at: int = 0
    touched: set[str] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    everyone: bool = False
    members: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def note(
        self,
        at: int,
        *,
        touched: Iterable[str | None] = (),
        messages: Iterable[str] = (),
        changes: Iterable[str] = (),
        runs: Iterable[str] = (),
        everyone: bool = False,
    ) -> None:
        """Note what the transaction changes. at: when that is recorded, µs; of several the latest counts."""
        self.at = max(self.at, at)
        self.touched.update(each for each in touched if each is not None)
        self.messages.extend(messages)
        self.changes.extend(changes)
        self.runs.extend(runs)
        self.everyone = self.everyone or everyone

    def note_members(self, at: int, segment: str, entered: Iterable[str], left: Iterable[str]) -> None:
        """Note who is in a segment from now on, and who no longer. at: µs."""
        self.at = max(self.at, at)
        some, others = self.members.setdefault(segment, ([], []))
        some.extend(entered)
        others.extend(left)

    def note_removed(self, at: int, segment: str) -> None:
        """Note that a segment is no more; who was in it has left it, or leaves it in the same transaction. at: µs."""
        self.note_members(at, segment, (), ())
        self.removed.add(segment)

    @property
    def rows(self) -> list[dict[str, object]]:
        """The properties of each node; none where nothing was noted."""
        whole = [self._facts] if self.touched or self.messages or self.changes or self.runs or self.everyone else []
        return whole + [
            {
                "id": secrets.token_hex(10),
                "at": self.at,
                "segment": segment,
                "entered": entered or None,
                "left": left or None,
                "removed": segment in self.removed or None,
            }
            for segment, (entered, left) in self.members.items()
        ]

    @property
    def _facts(self) -> dict[str, object]:
        return {
            "id": secrets.token_hex(10),
            "at": self.at,
            "touched": sorted(self.touched) or None,
            "messages": self.messages or None,
            "changes": self.changes or None,
            "runs": self.runs or None,
            "everyone": self.everyone or None,
        }
