"""Manual acts, committed: two identifiers are the same person, are different people, or one value replaces another."""

from graph.acts import acts_about, keep_act
from graph.connection import Transaction, Writer
from graph.errors import UnknownIdentifierError
from graph.evidence import LinkWriting
from graph.genericity import recount
from graph.links import DELETE_LINKS, links_between
from graph.locks import StartAgainError, begun_again, lock
from graph.policies import PolicyHeld, begin, held_of
from graph.regions import Change
from graph.stitcher import stitch_change
from graph.views import refresh_views
from identity.evidence import Act, Kind
from identity.policy import Policy
from identity.stitching import standing_of


async def decide(writer: Writer, act: Act, policy: Policy | PolicyHeld, now: int) -> None:
    """Commit a manual act and what follows from it; deciding the same act again has no effect. now: µs.

    Raises UnknownIdentifierError when one of the two is not in the graph, and PolicyApplyingError; nothing is
    written then.
    """
    await begun_again(writer, _decide, act, held_of(policy), now)


async def _decide(tx: Transaction, act: Act, held: PolicyHeld, now: int) -> None:
    policy = (await begin(tx, held)).policy
    change = Change(ends=set(act.pair), additive=False, decided=True)
    try:
        await lock(tx, change, act.pair, now)
    except StartAgainError as error:
        sentence = f"{act.a} and {act.b} must both be known before something is decided about them"
        raise UnknownIdentifierError(sentence) from error
    await keep_act(tx, act, now)
    await recount(tx, change, now)
    writing = await _manual_link(tx, act)
    stitched = await stitch_change(tx, change, policy, now)
    await writing.write(tx, stitched.verdicts, now)
    await refresh_views(tx, [], change, stitched, policy)


async def _manual_link(tx: Transaction, act: Act) -> LinkWriting:
    """The stored manual link of the pair, brought in line with the act that stands."""
    acts = [each for each in await acts_about(tx, act.pair) if each.pair == act.pair]
    standing = {link.id: link for link in standing_of(acts).manual}
    stored = {id_: each for id_, each in (await links_between(tx, [act.pair])).items() if id_.kind is Kind.MANUAL}
    gone = [each.element for id_, each in stored.items() if standing.get(id_) != each.link]
    if gone:
        await tx.rows(DELETE_LINKS, elements=gone)
    new = {id_: link for id_, link in standing.items() if id_ not in stored or stored[id_].link != link}
    return LinkWriting(new=new)
