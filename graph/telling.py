"""What a transaction changes, as those hear of it who listen: noted while it works, written once, with it.

One small node for each transaction, never one for each message, and no counter: that would make writers wait for each
other. It names mints and ids, never a value. What follows from it is in graph/feed.py.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

# a new node that nothing else knows of yet
TELL = """
CREATE (entry:FeedEntry:Unsequenced)
SET entry = $facts
"""


@dataclass(slots=True)
class Told:
    """What a transaction has noted so far. Only what is committed is ever heard of.

    touched: mints of identifiers and ids of profiles of which something may be different now. messages: ids of new
    interactions. changes: ids of rows of the log. runs: whose counts are others. everyone: whether each profile may be
    different, as under another policy.
    """

    at: int = 0
    touched: set[str] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    everyone: bool = False

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

    @property
    def facts(self) -> dict[str, object] | None:
        """The node's properties; None where nothing was noted."""
        if not (self.touched or self.messages or self.changes or self.runs or self.everyone):
            return None
        return {
            "id": secrets.token_hex(10),
            "at": self.at,
            "touched": sorted(self.touched) or None,
            "messages": self.messages or None,
            "changes": self.changes or None,
            "runs": self.runs or None,
            "everyone": self.everyone or None,
        }
