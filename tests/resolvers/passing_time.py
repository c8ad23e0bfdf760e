"""A company in which things happen while somebody pages through its lists: told by the real writers, step by step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from itertools import chain, count

from hypothesis import strategies as st

from graph.connection import Connection
from graph.endpoints import Endpoint, Topic, keep_endpoint
from graph.feed import number_entries
from graph.ingestion import commit_batch
from graph.merging import Asked, merge_people, take_out
from graph.owing import owe
from graph.policies import PolicyHeld
from graph.runs import Load, RunId, begun_run
from graph.segment_members import keep_members
from graph.segments import define_segment
from identity.identifiers import IdentifierKey
from identity.messages import About, AccountStatement, Json, Message, SourceName, Subject, micros
from insight.segments import Between, Counted
from tests.building import RECEIVED, default_policy, identify, track
from tests.graph.erasing import HASHING
from tests.graph.telling import DATA_OF_TESTS
from tests.serving import empty

PEOPLE = 6
ACCOUNT = "account:acme"
HOME = "home@example.com"  # several people's, so that it links nobody and makes a household
KIOSK = "kiosk"  # a device of everybody's
SEGMENT = "viewers"
WEB = SourceName("web")
EARLY, USUAL, LATE = 100, 10_000, 90_000  # minutes: before, among and after what was there at the beginning

Happening = tuple[str, int, int]
# What happens between two pages: what, to whom (a newcomer's number, where somebody comes), and to whom else or when.
some_happening: st.SearchStrategy[Happening] = st.tuples(
    st.sampled_from(
        ["does", "is known", "joins", "moves in", "orders", "merges", "splits", "is heard of", "had ordered", "moves"]
    ),
    st.integers(0, PEOPLE - 1),
    st.integers(0, PEOPLE - 1),
)


def user(number: int) -> IdentifierKey:
    return IdentifierKey(f"user_id:u{number}")


def begun(number: int) -> int:
    """When one of the first people came first, in minutes: the beginning of a session of hers."""
    return USUAL + 1_000 * number


def living(city: str) -> dict[str, Json]:
    return {"city": city}


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
        """Six people of one account and device, of whom four share an address; each came twice and ordered twice."""
        await empty(self.graph.writer, DATA_OF_TESTS)
        viewed = Counted(Between(), name="Viewed", at_least=1)
        assert await define_segment(self.graph.writer, SEGMENT, viewed, micros(RECEIVED))
        everybody = range(PEOPLE)
        await self._hook()
        await self.tell(*(track(f"a{number}", at=begun(number) + 3, id=f"first-{number}") for number in everybody))
        told = [self._somebody(number, begun(number), home=number < PEOPLE - 2) for number in everybody]
        await self.tell(*chain.from_iterable(told))
        for _ in range(2):
            await self._load()
        await self._hook()
        await self.follow()

    def _somebody(self, number: int, at: int, *, home: bool) -> Iterator[Message]:
        name, device = f"u{number}", f"a{number}"
        own = AccountStatement(f"account:{name}", {"name": f"Firm {name}"}, parent=ACCOUNT)
        called = {"name": f"Kim {name}", **living("Oslo")}
        yield identify(name, on=device, at=at, account=AccountStatement(ACCOUNT, role="member"), traits=called)
        yield identify(name, email=f"{name}@example.com", at=at + 1, account=own, traits=living("Bergen"))
        yield identify(name, on=KIOSK, at=at + 2, traits=living("Moss"))
        yield from (track(device, at=at + minute, id=f"seen-{number}-{minute}") for minute in (4, 100))
        yield self._order(number, at + 200, f"web:{number}")
        yield self._order(number, at + 201)
        won = track(device, at=at + 202, name="Deal Won", id=f"deal-{number}")
        yield replace(won, about=(About(Subject.DEAL, f"crm:{next(self.ids)}", account=ACCOUNT),))
        if home:
            yield identify(name, email=HOME, at=at + 300)

    def _order(self, number: int, at: int, key: str = "") -> Message:
        key = key or f"web:{next(self.ids)}"
        bought = track(f"a{number}", at=at, name="Order Completed", id=f"order-{key}-{at}")
        return replace(bought, about=(About(Subject.ORDER, key),))

    async def _load(self) -> None:
        """One more run of the source."""
        load = Load(WEB, "people.csv", next(self.ids))
        await begun_run(self.graph.writer, RunId(next(self.ids)), load, RECEIVED + timedelta(minutes=next(self.steps)))

    async def _hook(self) -> None:
        """One more endpoint of webhooks, which nobody tells what it is owed."""
        told = Endpoint(next(self.ids), "https://example.com/", (Topic.PROFILE_CHANGED,), "", self._now())
        assert await keep_endpoint(self.graph.writer, told)

    async def more(self, step: int) -> None:
        """More of everything: somebody comes, before, among or after the others, and whoever is there goes on."""
        at = (EARLY, USUAL + 500, LATE)[step % 3] + step
        await self.tell(*self._somebody(PEOPLE + step, at, home=step % 2 == 0))
        await self.tell(*(track(f"a{who}", at=begun(who) + 5 + step, id=f"more-{step}-{who}") for who in range(PEOPLE)))
        await self._load()
        await self._hook()

    async def follow(self) -> None:
        """Do what a service does behind its answers: keep who is in the segment, and what endpoints are owed."""
        await number_entries(self.graph)
        await keep_members(self.graph, PolicyHeld(default_policy()), self._now())
        while await owe(self.graph):
            pass

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
            "does": lambda: (track(f"a{who}", at=at + step, id=f"late-{step}"),),
            "is known": lambda: (track(f"b{step}", at=at), identify(f"u{who}", on=f"b{step}", at=at + 1)),
            "joins": lambda: (identify(f"u{who}", at=at, account=AccountStatement(f"account:u{other}")),),
            "moves in": lambda: (identify(f"u{who}", email=HOME, at=at),),
            "orders": lambda: (self._order(who, at + step),),
            "had ordered": lambda: (self._order(who, at + step, f"web:{who}"),),
            "moves": lambda: (identify(f"u{who}", at=at + step, traits=living(f"Town {step}")),),
            "is heard of": lambda: (identify(f"u{who}", email=f"u{who}@example.com", at=EARLY - step),),
        }
        return told[name]() if name in told else ()

    async def tell(self, *messages: Message) -> None:
        if not messages:
            return
        now = RECEIVED + timedelta(minutes=next(self.steps))
        await commit_batch(self.graph.writer, messages, default_policy(), lambda: next(self.ids), now, hashing=HASHING)

    def _asked(self) -> Asked:
        return Asked("tests", lambda: next(self.ids), self._now())

    def _now(self) -> int:
        return micros(RECEIVED + timedelta(minutes=next(self.steps)))
