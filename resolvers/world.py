"""What the front door hands to an answer: the graph, the rules, the clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from graph.connection import Reader, Writer
from graph.policies import PolicyHeld
from identity.erasure import Hashing
from identity.policy import Policy
from resolvers.feed import Feed
from resolvers.joining import Joining


@dataclass(frozen=True, slots=True)
class World:
    """The doors to the graph, the policy in force, what tells the time (an aware moment in UTC), and makes new ids.

    policy: in force when the request came, so that one answer reads by one. held: as the process knows it, for what
    writes: that asks which version is in force, and need not read the text of one that is known.
    hashing: how the erased are known again, where a key is set. open_traits: those that are nobody's personal data.
    feed: what those hear who subscribe. joining: what requests read together. hooks_private: whether webhooks may go to
    this machine and its network.
    """

    reader: Reader
    writer: Writer
    policy: Policy
    held: PolicyHeld
    now: Callable[[], datetime]
    mint: Callable[[], str]
    hashing: Hashing | None = None
    open_traits: frozenset[str] = frozenset()
    feed: Feed | None = None
    joining: Joining = field(default_factory=Joining)
    hooks_private: bool = False
