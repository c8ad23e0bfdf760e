"""Histories told to the real Neo4j, and what it makes of them, in a comparable form."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from graph.connection import Connection
from graph.decisions import decide
from graph.errors import DecisionError, UnknownIdentifierError
from graph.evidence_reading import Stored, stored_state
from graph.ingestion import Outcome, commit_batch
from graph.namespaces import declare
from identity.evidence import Act, LinkId, Reason
from identity.messages import Message, micros
from identity.policy import Policy
from tests.building import after, minting
from tests.graph.erasing import HASHING
from tests.identity.policies import CRM, small_policy
from tests.serving import empty

DATA_OF_TESTS = "MATCH (n) WHERE NOT n:Migration AND NOT n:MigrationLock AND NOT n:Namespace"


@dataclass(frozen=True)
class Seen:
    """What the graph holds of who is who, without anything that the order of arrival may change.

    people: by their identifiers, with what their profile shows but its id.
    """

    people: Mapping[tuple[str, ...], Mapping[str, object]]
    verdicts: Mapping[LinkId, Reason | None]
    generic: Mapping[str, str]
    sharing: Mapping[tuple[str, tuple[str, ...]], tuple[object, ...]]
    ids: Mapping[tuple[str, ...], str] = field(compare=False)


@dataclass
class Teller:
    """Tells messages and acts to one graph, each batch a second after the one before, with mints in their order."""

    graph: Connection
    policy: Policy
    batches: int = 0

    def __post_init__(self) -> None:
        self.mints = minting()

    async def begin(self) -> "Teller":
        """Forget all data but the declared namespace of these histories."""
        await empty(self.graph.writer, DATA_OF_TESTS)
        await declare(self.graph.writer, [CRM], "crm")
        return self

    async def tell(self, batch: Sequence[Message]) -> tuple[Outcome, ...]:
        now = self.later()
        return await commit_batch(self.graph.writer, batch, self.policy, lambda: next(self.mints), now, hashing=HASHING)

    def later(self) -> datetime:
        """The moment at which the next step is recorded."""
        self.batches += 1
        return after(0).replace(year=2027, second=self.batches % 60, minute=self.batches // 60)

    async def decide(self, act: Act) -> None:
        """Decide by hand, where both identifiers are known."""
        try:
            await decide(self.graph.writer, [act], self.policy, micros(self.later()))
        except (UnknownIdentifierError, DecisionError):
            return

    async def steps(self, steps: Iterable[Message | Act]) -> None:
        for step in steps:
            await (self.decide(step) if isinstance(step, Act) else self.tell([step]))

    async def seen(self) -> Seen:
        return seen_in(await stored_state(self.graph.reader, self.policy))


async def telling(graph: Connection, policy: Policy | None = None) -> Teller:
    """A teller of a new history under the small policy."""
    return await Teller(graph, policy or small_policy()).begin()


async def told(graph: Connection, batches: Iterable[Sequence[Message]], policy: Policy | None = None) -> Seen:
    """What the graph makes of batches of messages."""
    teller = await telling(graph, policy)
    for batch in batches:
        await teller.tell(batch)
    return await teller.seen()


def seen_in(stored: Stored) -> Seen:
    members: dict[str, list[str]] = {}
    for key, each in sorted(stored.identifiers.items()):
        members.setdefault(str(each.profile), []).append(key)
    people = {id_: tuple(keys) for id_, keys in members.items()}
    return Seen(
        people={
            keys: {name: value for name, value in stored.profiles[id_].items() if name != "id"}  # type: ignore[index]
            for id_, keys in people.items()
        },
        verdicts={id_: each.verdict for id_, each in stored.links.items()},
        generic={key: each.generic.value for key, each in stored.identifiers.items() if each.generic},
        sharing={
            (key, people[id_]): (row["first"], row["last"], row["spans"]) for (key, id_), row in stored.sharing.items()
        },
        ids={keys: id_ for id_, keys in people.items()},
    )


def in_batches(messages: list[Message], size: int) -> list[list[Message]]:
    return [messages[start : start + size] for start in range(0, len(messages), size)]


def with_region_limit(limit: int) -> Policy:
    return replace(small_policy(), region_limit=limit)
