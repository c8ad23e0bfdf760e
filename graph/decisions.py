"""Manual acts, committed: people are the same, are different, one value replaces another, or that is taken back.

What is decided together is one transaction. A preview is the very same transaction, rolled back: what it says is what
deciding gives, as long as nothing else comes in between.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graph.acts import acts_about, keep_acts
from graph.audit import Cause, CauseKind, log_decision
from graph.connection import Transaction, Writer
from graph.errors import DecisionError, UnknownIdentifierError
from graph.evidence import LinkWriting
from graph.genericity import recount
from graph.links import DELETE_LINKS, links_between
from graph.locks import StartAgainError, lock, tried
from graph.people import Person, people_in
from graph.policies import PolicyHeld, begin, held_of
from graph.regions import Change, stored_identifiers
from graph.stitcher import Stitched, stitch_change
from graph.views import refresh_views
from identity.evidence import Act, ActKind, Kind, Link, LinkId, Reason
from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.policy import Policy
from identity.stitching import Pair, standing_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision gives. decision: its id.

    before: the identifiers of each profile that it changes; after: the people that they are now, or would be.
    refused, accepted: the links that changed sides, each with the reason it has now; new ones among them.
    """

    decision: str
    before: Mapping[ProfileId, tuple[IdentifierKey, ...]]
    after: tuple[Person, ...]
    refused: Mapping[LinkId, Reason]
    accepted: tuple[LinkId, ...]


T = TypeVar("T")
Work = Callable[[Transaction, Policy], Awaitable[T]]


async def decide(
    writer: Writer, acts: Sequence[Act], policy: Policy | PolicyHeld, now: int, *, dry: bool = False
) -> Outcome:
    """Commit manual acts that belong together and what follows from them; the same acts again have no effect.

    now: µs. dry: write nothing, and answer what would be. The acts share one decision, one `by` and one note.
    Raises UnknownIdentifierError, DecisionError and PolicyApplyingError; nothing is written then.
    Cost: the people they touch, a millisecond for each of their identifiers, whatever the number of interactions.
    """

    async def work(tx: Transaction, ruling: Policy) -> Outcome:
        return await decided_within(tx, acts, ruling, now)

    return await in_one_transaction(writer, work, policy, keep=lambda _: not dry)


async def in_one_transaction(
    writer: Writer, work: Work[T], policy: Policy | PolicyHeld, *, keep: Callable[[T], bool]
) -> T:
    """The result of work that decides. keep: says of the result whether it is committed, else all is rolled back.

    The work may run several times. Raises PolicyApplyingError, and what the work raises.
    """
    held = held_of(policy)

    async def whole(tx: Transaction) -> T:
        return await work(tx, (await begin(tx, held)).policy)

    return await tried(writer, whole, keep=keep)


def check(acts: Sequence[Act], policy: Policy) -> None:
    """Raises DecisionError where an act can mean nothing."""
    for act in acts:
        if act.a == act.b:
            raise DecisionError(f"{act.a} is itself: two identifiers are needed")
        one, other = namespace_of(act.a), namespace_of(act.b)
        if act.kind is ActKind.OVERRIDE and (one != other or one not in policy.unique):
            raise DecisionError(f"{act.b} cannot replace {act.a}: they are no two values of one unique namespace")


async def decided_within(tx: Transaction, acts: Sequence[Act], policy: Policy, now: int) -> Outcome:
    """Decide inside a transaction that may hold more. policy: with the declared namespaces. Raises as `decide`."""
    check(acts, policy)
    ends = {end for act in acts for end in act.pair}
    cause = Cause(CauseKind.DECISION, acts[0].by, decision=acts[0].decision or None, note=acts[0].note)
    change = Change(cause, ends=set(ends), additive=False, decided=True)
    await _lock_ends(tx, change, ends, now)
    now = await log_decision(tx, acts, cause, now)
    await keep_acts(tx, acts, now)
    await recount(tx, change, policy, now)
    writing = await _manual_links(tx, {act.pair for act in acts})
    stitched = await stitch_change(tx, change, policy, now, limited=False)
    await writing.write(tx, stitched.verdicts, max(now, stitched.at))
    await refresh_views(tx, [], change, stitched, policy, limited=False)
    return await _outcome(tx, acts, stitched, ends)


async def _lock_ends(tx: Transaction, change: Change, ends: set[IdentifierKey], now: int) -> None:
    try:
        await lock(tx, change, ends, now)
    except StartAgainError as error:
        known = await stored_identifiers(tx, change, ends)
        unknown = sorted(ends - known.keys())
        if not unknown:
            raise
        sentence = f"nothing is known of {', '.join(unknown[:10])}; both must be known before something is decided"
        raise UnknownIdentifierError(sentence) from error


async def _manual_links(tx: Transaction, pairs: set[Pair]) -> LinkWriting:
    """The stored manual links of the pairs, brought in line with the acts that stand."""
    acts = [each for each in await acts_about(tx, {one for one, _ in pairs}) if each.pair in pairs]
    standing = {link.id: link for link in standing_of(acts).manual}
    between = await links_between(tx, sorted(pairs))
    stored = {id_: each for id_, each in between.items() if id_.kind is Kind.MANUAL}
    gone = [each.element for id_, each in stored.items() if standing.get(id_) != each.link]
    if gone:
        await tx.rows(DELETE_LINKS, elements=gone)
    return LinkWriting(new={id_: link for id_, link in standing.items() if not _same(stored, id_, link)})


def _same(stored: Mapping[LinkId, object], id_: LinkId, link: Link) -> bool:
    found = stored.get(id_)
    return found is not None and getattr(found, "link", None) == link


async def _outcome(tx: Transaction, acts: Sequence[Act], stitched: Stitched, ends: set[IdentifierKey]) -> Outcome:
    """What is different now: the people who changed, and those of the ends."""
    shown = {each.id for each in stitched.clusters if each.id in stitched.changed or not ends.isdisjoint(each.members)}
    members = {key for each in stitched.clusters if each.id in shown for key in each.members}
    before: defaultdict[ProfileId, list[IdentifierKey]] = defaultdict(list)
    for key in sorted(members & stitched.before.keys()):
        before[stitched.before[key]].append(key)
    return Outcome(
        decision=acts[0].decision,
        before={id_: tuple(keys) for id_, keys in before.items()},
        after=await people_in(tx, sorted(shown)),
        refused={id_: why for id_, why in stitched.verdicts.items() if why is not None},
        accepted=tuple(id_ for id_, why in stitched.verdicts.items() if why is None),
    )
