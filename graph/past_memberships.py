"""To whom somebody belonged, as of a past moment.

A membership aggregates all statements of one source of one identifier, account and role, later ones too. One that was
said later than is looked at is heard again from the interactions. No statement ends another one: who is said to belong
to a second account belongs to both (docs/decisions/0005). Accounts that were merged by then are read as one.
"""

from collections.abc import Iterable, Mapping, Sequence

from graph.account_decisions import ACTS_ABOUT, acts_around
from graph.connection import Reader, Row
from graph.namespaces import declared_namespaces
from graph.past import View
from graph.past_hearing import ACCOUNTS_SAID, Asked, Rules, Until, said_until
from graph.replaying import message_from
from identity.accounts import AccountAct, Belonging, heads_at, ranked
from identity.evidence import hear
from identity.identifiers import IdentifierKey
from identity.policy import Policy
from identity.rehearing import Belonged, Member, joined_belonged, member_of
from identity.survivorship import MANUAL

# identifier_key (unique), then one expand per identifier
MEMBERSHIPS_THEN = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})-[membership:MEMBER_OF]->(said:Account)
USING INDEX SEEK i:Identifier(key)
WHERE membership.recorded_at <= $recorded
RETURN key, said.key AS account, membership.role AS role, membership.source AS source, membership.from AS first,
  membership.last_seen AS last, membership.recorded_at AS recorded_at,
  coalesce(membership.last_recorded_at, membership.recorded_at) AS last_recorded_at
"""

Belongings = Mapping[str, tuple[Belonging, ...]]


async def memberships_then(reader: Reader, asked: Sequence[Asked]) -> Mapping[Asked, Belongings]:
    """To which accounts some identifiers belonged, by the keys that these went by, in the order of their places.

    Of several statements about one account the one that is shown stands first. For each one statement, one more for
    each step from a merged account to the next, and what hearing again costs.
    """
    return {each: await _memberships(reader, each.keys, each.view, each.rules) for each in asked}


async def _memberships(reader: Reader, keys: Sequence[IdentifierKey], view: View, rules: Rules) -> Belongings:
    said = await _said(reader, keys, view, rules.now)
    acts = await _acts(reader, {account for _, account, _, _ in said}, view)
    heads = heads_at(acts, view.happened)
    found: dict[str, list[Belonging]] = {}
    for (identifier, account, role, source), each in said.items():
        belonging = Belonging(role, source, each.first, each.last, each.recorded_at, account, identifier)
        found.setdefault(heads.get(account, account), []).append(belonging)
    ordered = sorted(found, key=lambda head: place_of(found[head]))
    return {head: ranked(found[head], rules.then.account_roles) for head in ordered}


def place_of(history: Iterable[Belonging]) -> str:
    """Where an account stands among those of a person, as today: where the first of its keys does that were said."""
    return min(each.account for each in history)


async def _said(reader: Reader, keys: Sequence[IdentifierKey], view: View, policy: Policy) -> Mapping[Member, Belonged]:
    rows = await reader.rows(MEMBERSHIPS_THEN, keys=list(keys), recorded=view.recorded)
    stored = {_member(row): _belonged(row) for row in rows}
    again = sorted({member[0] for member, each in stored.items() if not _stood(member, each, view)})
    found = {member: each for member, each in stored.items() if member[3] == MANUAL or member[0] not in again}
    if again:
        policy = policy.with_namespaces(await declared_namespaces(reader))
        for key in again:
            found |= await _heard_again(reader, key, view, policy)
    return {member: each for member, each in found.items() if each.first <= view.happened}


def _member(row: Row) -> Member:
    return IdentifierKey(row["key"]), row["account"], row["role"], row["source"]


def _belonged(row: Row) -> Belonged:
    return Belonged(row["first"], row["last"], row["recorded_at"], row["last_recorded_at"])


def _stood(member: Member, each: Belonged, view: View) -> bool:
    """Whether nothing that is not looked at has gone into it; what is said by hand is said once."""
    return member[3] == MANUAL or (
        each.last_recorded_at <= view.recorded and (each.last <= view.happened or view.happened < each.first)
    )


async def _heard_again(reader: Reader, actor: IdentifierKey, view: View, policy: Policy) -> Mapping[Member, Belonged]:
    """What an identifier said, each text once of a page: most messages say the same as others."""
    found: dict[Member, Belonged] = {}
    async for page in said_until(reader, ACCOUNTS_SAID, actor, Until(view.recorded, view.happened)):
        heard: dict[tuple[object, ...], Member | None] = {}
        for row in page:
            text = tuple(row[name] for name in ("source", "type", "account", "identifiers", "region"))
            if text not in heard:
                heard[text] = member_of(hear(message_from(row), policy))
            if member := heard[text]:
                said = Belonged(row["at"], row["at"], row["recorded_at"], row["recorded_at"])
                found[member] = joined_belonged(found.get(member, said), said)
    return found


async def _acts(reader: Reader, accounts: Iterable[str], view: View) -> Iterable[AccountAct]:
    """The acts known then that can bear on these accounts, also over others."""

    async def asked(some: set[str]) -> Sequence[Row]:
        return await reader.rows(ACTS_ABOUT, keys=sorted(some), recorded=view.recorded)

    return (await acts_around(asked, accounts)).values()
