"""Which of several committers a message goes to.

Two transactions that meet at one person wait for each other, so what is about one person goes one way: identifiers that
came together lately, directly or by way of others, have one lane. That is a matter of speed alone, and it is forgotten
at times; the locks of a transaction see to the rest.
"""

from collections.abc import Sequence

from identity.messages import Message

MOST_KNOWN = 200_000
Name = tuple[str, str]


class Lanes:
    """Remembers which identifiers came together, and which lane they have."""

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._most = most
        self._parent: dict[Name, Name] = {}
        self._lane: dict[Name, int] = {}

    def of(self, message: Message, waiting: Sequence[int]) -> int:
        """The lane of a message. waiting: how many messages each lane has; who is new goes where there are fewest."""
        if len(self._parent) > self._most:
            self._parent.clear()
            self._lane.clear()
        least = min(range(len(waiting)), key=waiting.__getitem__)
        names = _names(message)
        if not names:
            return least
        root = self._root(names[0])
        lane = self._lane.setdefault(root, least)
        for name in names[1:]:
            other = self._root(name)
            if other != root:
                self._parent[other] = root
                self._lane.pop(other, None)
        return lane

    def _root(self, name: Name) -> Name:
        parent = self._parent.setdefault(name, name)
        while parent != name:
            self._parent[name] = name = self._parent[parent]  # a shorter way next time
            parent = self._parent[name]
        return name


def _names(message: Message) -> list[Name]:
    names = [(each.namespace, each.value) for each in message.sightings]
    if message.previous_id is not None:
        names += [("user_id", message.previous_id), ("anonymous_id", message.previous_id)]
    return names
