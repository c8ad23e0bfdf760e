"""A company in which things happen while somebody pages through its lists: told by the real writers, step by step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from itertools import count

from hypothesis import strategies as st

from graph.connection import Connection
from graph.ingestion import commit_batch
from graph.merging import Asked, merge_people, take_out
from identity.identifiers import IdentifierKey
from identity.messages import About, AccountStatement, Message, Subject, micros
from tests.building import RECEIVED, default_policy, identify, track
from tests.graph.erasing import HASHING
from tests.graph.telling import DATA_OF_TESTS
from tests.serving import empty

PEOPLE = 6
ACCOUNT = "account:acme"
HOME = "home@example.com"  # several people's, so that it links nobody and makes a household
EARLY, USUAL, LATE = 100, 10_000, 90_000  # minutes: before, among and after what was there at the beginning

Happening = tuple[str, int, int]
# What happens between two pages: what, to whom (a newcomer's number, where somebody comes), and to whom else or when.
some_happening: st.SearchStrategy[Happening] = st.tuples(
    st.sampled_from(
        ["comes", "does", "is known", "joins", "moves in", "orders", "merges", "splits", "is heard of", "had ordered"]
    ),
    st.integers(0, PEOPLE - 1),
    st.integers(0, PEOPLE - 1),
)


def user(number: int) -> IdentifierKey:
    return IdentifierKey(f"user_id:u{number}")


def random_ids() -> Iterator[str]:
    """Ids in no order at all, so that who comes may stand anywhere in a list; the same in each run."""
    return (sha256(f"{number}".encode()).hexdigest()[:12] for number in count())


@dataclass
class Company:
    """A graph and the process that writes to it. Each step is recorded a minute after the one before."""

    graph: Connection
    steps: Iterator[int] = field(default_factory=count)
    ids: Iterator[str] = field(default_factory=random_ids)

    async def begin(self) -> None:
        """Six people of one account, of whom four share an address; each did three things and ordered once."""
        await empty(self.graph.writer, DATA_OF_TESTS)
        for number in range(PEOPLE):
            await self.tell(*self._somebody(number, USUAL + 1_000 * number, home=number < PEOPLE - 2))

    def _somebody(self, number: int, at: int, *, home: bool) -> Iterator[Message]:
        name, device = f"u{number}", f"a{number}"
        yield identify(name, on=device, at=at, account=AccountStatement(ACCOUNT, role="member"))
        yield identify(name, email=f"{name}@example.com", at=at + 1, account=AccountStatement(f"account:{name}"))
        yield track(device, at=at + 100, id=f"seen-{number}")
        yield self._order(number, at + 200, f"web:{number}")
        if home:
            yield identify(name, email=HOME, at=at + 300)

    def _order(self, number: int, at: int, key: str = "") -> Message:
        key = key or f"web:{next(self.ids)}"
        bought = track(f"a{number}", at=at, name="Order Completed", id=f"order-{key}-{at}")
        return replace(bought, about=(About(Subject.ORDER, key),))

    async def happen(self, what: Happening) -> None:
        """Let something happen; what cannot, because of what happened before, does not."""
        name, who, other = what
        step, at = next(self.steps), (EARLY, USUAL + 500, LATE)[other % 3]
        if name == "merges" and who != other:
            await merge_people(
                self.graph.writer, user(who), user(other), self._asked(), default_policy(), override=True
            )
        elif name == "splits":
            device = IdentifierKey(f"anonymous_id:a{who}")
            await take_out(self.graph.writer, [device], self._asked(), default_policy())
        else:
            await self.tell(*self._told(name, who, other, step, at))

    def _told(self, name: str, who: int, other: int, step: int, at: int) -> Sequence[Message]:
        """What is told when something happens; at: in minutes."""
        told = {
            "comes": lambda: tuple(self._somebody(PEOPLE + step, at, home=other % 2 == 0)),
            "does": lambda: (track(f"a{who}", at=at + step, id=f"late-{step}"),),
            "is known": lambda: (track(f"b{step}", at=at), identify(f"u{who}", on=f"b{step}", at=at + 1)),
            "joins": lambda: (identify(f"u{who}", at=at, account=AccountStatement(f"account:u{other}")),),
            "moves in": lambda: (identify(f"u{who}", email=HOME, at=at),),
            "orders": lambda: (self._order(who, at + step),),
            "had ordered": lambda: (self._order(who, at + step, f"web:{who}"),),
            "is heard of": lambda: (identify(f"u{who}", email=f"u{who}@example.com", at=EARLY - step),),
        }
        return told[name]() if name in told else ()

    async def tell(self, *messages: Message) -> None:
        if not messages:
            return
        now = RECEIVED + timedelta(minutes=next(self.steps))
        await commit_batch(self.graph.writer, messages, default_policy(), lambda: next(self.ids), now, hashing=HASHING)

    def _asked(self) -> Asked:
        return Asked("tests", lambda: next(self.ids), micros(RECEIVED + timedelta(minutes=next(self.steps))))
