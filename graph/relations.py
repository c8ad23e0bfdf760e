"""What people have to do with each other: what is one tie away from a person, an account, a shared identifier, a thing.

A hub is never followed: what has more than 200 ties (an address of a whole company, a kiosk, an account of thousands)
is met, so that two people who both use it are still found to share it, but what lies behind it is not read. How many
ties a node has is read off the node. Of what an identifier did the newest 1,000 interactions are looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graph.connection import Reader, Row
from insight.relations import Kind, Thing, Tie, TieKind

MOST_TIES = 200
MOST_INTERACTIONS = 1_000  # of one identifier


@dataclass(frozen=True, slots=True)
class Around:
    """What is one tie away from a thing. hub: it has too many to be followed. cut: it has more than were looked at."""

    ties: tuple[Tie, ...]
    hub: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """How far to look. most: ties of a thing that is no hub. own: whether a person's own identifiers count, too."""

    most: int = MOST_TIES
    own: bool = False


# Of what is shared: which tie it makes, and how many share it.
SHARING = """CASE
    WHEN shared:ContactPoint THEN 'shares_contact_point' WHEN shared:Device THEN 'shares_device'
    ELSE 'shares_identifier'
  END AS tie, [toString(COUNT { (shared)-[:SHARED_BY]->() })] AS said"""
KIND_OF_THING = "CASE WHEN thing:Order THEN 'order' WHEN thing:Deal THEN 'deal' ELSE 'ticket' END"

# profile_id (unique), then expands; interaction_actor_at (actor, at, id) for what each identifier did last
AROUND_PROFILES = f"""
UNWIND $names AS name
MATCH (person:Profile {{id: name}})
USING INDEX SEEK person:Profile(id)
CALL (person) {{
  MATCH (person)<-[:SHARED_BY]-(shared:Identifier)
  RETURN 'identifier' AS kind, shared.key AS other, {SHARING}
UNION
  MATCH (person)<-[:IDENTIFIES]-(own:Identifier)
  WHERE $own OR person.shared
  RETURN 'identifier' AS kind, own.key AS other, 'identifies' AS tie, [] AS said
UNION
  MATCH (person)<-[:IDENTIFIES]-(:Identifier)-[membership:MEMBER_OF]->(said:Account)
  WHERE NOT person.shared
  OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
  RETURN 'account' AS kind, coalesce(head, said).key AS other, 'member_of' AS tie,
    [coalesce(membership.role, ''), membership.source] AS said
UNION
  MATCH (person)<-[:IDENTIFIES]-(own:Identifier)
  WHERE NOT person.shared
  CALL (own) {{
    MATCH (interaction:Interaction)
    USING INDEX SEEK interaction:Interaction(actor, at, id)
    WHERE interaction.actor = own.key AND interaction.at <= $latest AND interaction.id IS NOT NULL
    RETURN interaction
    ORDER BY interaction.actor DESC, interaction.at DESC, interaction.id DESC
    LIMIT $interactions
  }}
  MATCH (interaction)-[:ABOUT]->(thing:Order|Deal|Ticket)
  WITH thing, min(interaction.name) AS what
  RETURN {KIND_OF_THING} AS kind, thing.key AS other, 'about' AS tie, [coalesce(what, '')] AS said
UNION
  MATCH (person)<-[:IDENTIFIES]-(own:Identifier)-[link:LINKED {{accepted: false}}]-(far:Identifier)
  WHERE own.generic IS NULL AND far.generic IS NULL
  MATCH (far)-[:IDENTIFIES]->(other:Profile)
  WHERE other <> person
  RETURN 'profile' AS kind, other.id AS other, 'refused_link' AS tie, [own.key, far.key, link.reason] AS said
}}
WITH name, person, kind, other, tie, said
ORDER BY kind, other, tie, said
WITH name, person, collect([kind, other, tie, said]) AS found
RETURN name, found,
  EXISTS {{ (person)<-[:IDENTIFIES]-(own) WHERE COUNT {{ (own)<-[:BY]-() }} > $interactions }} AS cut
"""

# identifier_key (unique), then one expand where it is no hub
AROUND_IDENTIFIERS = f"""
UNWIND $names AS name
MATCH (shared:Identifier {{key: name}})
USING INDEX SEEK shared:Identifier(key)
WITH name, shared, COUNT {{ (shared)-[:SHARED_BY]->() }} AS total, {SHARING}
OPTIONAL CALL (shared, total, tie, said) {{
  WITH shared, total, tie, said
  WHERE total <= $most
  MATCH (shared)-[:SHARED_BY]->(person:Profile)
  RETURN person.id AS other, tie AS how, said AS words
UNION
  MATCH (shared)-[:IDENTIFIES]->(person:Profile)
  WHERE $own OR person.shared
  RETURN person.id AS other, 'identifies' AS how, [] AS words
}}
WITH name, total, other, how, words
ORDER BY other, how
RETURN name, total, collect(CASE WHEN other IS NOT NULL THEN ['profile', other, how, words] END) AS found
"""

# account_key (unique), then expands where it is no hub; deal_account (range) for its deals
AROUND_ACCOUNTS = """
UNWIND $names AS name
MATCH (account:Account {key: name})
USING INDEX SEEK account:Account(key)
CALL (account) {
  MATCH (account)<-[:MERGED_INTO*0..1]-(said:Account)
  RETURN collect(said) AS parts, sum(COUNT { (said)<-[:MEMBER_OF]-() } + COUNT { (said)-[:PART_OF]-() }) AS total
}
OPTIONAL CALL (account, parts, total) {
  UNWIND CASE WHEN total <= $most THEN parts ELSE [] END AS said
  MATCH (said)<-[membership:MEMBER_OF]-(:Identifier)-[:IDENTIFIES]->(person:Profile)
  WHERE NOT person.shared
  RETURN 'profile' AS kind, person.id AS other, 'member_of' AS tie,
    [coalesce(membership.role, ''), membership.source] AS said_of, false AS away
UNION
  UNWIND CASE WHEN total <= $most THEN parts ELSE [] END AS said
  MATCH (said)-[part:PART_OF {accepted: true}]-(near:Account)
  OPTIONAL MATCH (near)-[:MERGED_INTO]->(head:Account)
  RETURN 'account' AS kind, coalesce(head, near).key AS other, 'part_of' AS tie, [] AS said_of,
    startNode(part) = said AS away
UNION
  UNWIND parts AS said
  CALL (said) {
    MATCH (deal:Deal)
    USING INDEX SEEK deal:Deal(account, key)
    WHERE deal.account = said.key AND deal.key IS NOT NULL
    RETURN deal
    ORDER BY deal.account, deal.key
    LIMIT $most
  }
  RETURN 'deal' AS kind, deal.key AS other, 'deal_of' AS tie, [] AS said_of, false AS away
}
WITH name, total, kind, other, tie, said_of, away
ORDER BY kind, other, tie, said_of
WITH name, total, collect(CASE WHEN other IS NOT NULL THEN [kind, other, tie, said_of, away] END) AS found
RETURN name, total, found, size([each IN found WHERE each[0] = 'deal']) >= $most AS cut
"""

# order_key, deal_key and ticket_key (unique), then two expands where it is no hub; account_key (unique) for a deal's
AROUND_THINGS = """
UNWIND $names AS name
CALL (name) {
  MATCH (thing:Order {key: name.order})
  USING INDEX SEEK thing:Order(key)
  RETURN thing
UNION ALL
  MATCH (thing:Deal {key: name.deal})
  USING INDEX SEEK thing:Deal(key)
  RETURN thing
UNION ALL
  MATCH (thing:Ticket {key: name.ticket})
  USING INDEX SEEK thing:Ticket(key)
  RETURN thing
}
WITH name, thing, COUNT { (thing)<-[:ABOUT]-() } AS total
OPTIONAL CALL (thing, total) {
  WITH thing, total
  WHERE total <= $most
  MATCH (thing)<-[:ABOUT]-(interaction:Interaction)-[:BY]->(:Identifier)-[:IDENTIFIES]->(person:Profile)
  WHERE NOT person.shared
  WITH person, min(interaction.name) AS what
  RETURN 'profile' AS kind, person.id AS other, 'about' AS tie, [coalesce(what, '')] AS said
UNION
  WITH thing
  WHERE thing:Deal
  MATCH (told:Account {key: thing.account})
  USING INDEX SEEK told:Account(key)
  OPTIONAL MATCH (told)-[:MERGED_INTO]->(head:Account)
  RETURN 'account' AS kind, coalesce(head, told).key AS other, 'deal_of' AS tie, [] AS said
}
WITH name, total, kind, other, tie, said
ORDER BY kind, other
RETURN name, total, collect(CASE WHEN other IS NOT NULL THEN [kind, other, tie, said] END) AS found
"""

LATEST = 2**62
THINGS = (Kind.ORDER, Kind.DEAL, Kind.TICKET)


async def around(reader: Reader, things: Iterable[Thing], reach: Reach) -> dict[Thing, Around]:
    """What is one tie away from each thing; one of which nothing is known has no ties. Four statements at most."""
    by_kind: dict[Kind, list[str]] = {}
    for thing in things:
        by_kind.setdefault(thing.kind, []).append(thing.name)
    return {
        **await _around(reader, AROUND_PROFILES, Kind.PROFILE, by_kind, reach),
        **await _around(reader, AROUND_IDENTIFIERS, Kind.IDENTIFIER, by_kind, reach),
        **await _around(reader, AROUND_ACCOUNTS, Kind.ACCOUNT, by_kind, reach),
        **await _around_things(reader, by_kind, reach),
    }


async def _around(
    reader: Reader, statement: str, kind: Kind, by_kind: Mapping[Kind, Sequence[str]], reach: Reach
) -> dict[Thing, Around]:
    names = by_kind.get(kind)
    if not names:
        return {}
    rows = await reader.rows(
        statement, names=names, most=reach.most, own=reach.own, latest=LATEST, interactions=MOST_INTERACTIONS
    )
    return {thing: _found(thing, row, reach) for row in rows for thing in [Thing(kind, row["name"])]}


async def _around_things(reader: Reader, by_kind: Mapping[Kind, Sequence[str]], reach: Reach) -> dict[Thing, Around]:
    names = [{kind.value: name} for kind in THINGS for name in by_kind.get(kind, ())]
    if not names:
        return {}
    rows = await reader.rows(AROUND_THINGS, names=names, most=reach.most)
    return {thing: _found(thing, row, reach) for row in rows for thing in _things(row["name"])}


def _things(named: Mapping[str, str]) -> list[Thing]:
    return [Thing(Kind(kind), name) for kind, name in named.items()]


def _found(thing: Thing, row: Row, reach: Reach) -> Around:
    ties = tuple(_tie(thing, *each) for each in row["found"])
    return Around(ties, hub=row.get("total", 0) > reach.most, cut=row.get("cut", False))


# Which of two things a tie is read from: a person before what she belongs to or uses, a deal before its account.
FIRST = (Kind.PROFILE, Kind.DEAL, Kind.ORDER, Kind.TICKET, Kind.IDENTIFIER, Kind.ACCOUNT)


def _tie(thing: Thing, kind: str, other: str, tie: str, said: Sequence[str], away: bool = True) -> Tie:
    """The tie of a row, the same from whichever end it was read."""
    far = Thing(Kind(kind), other)
    words = tuple(said)
    if thing.kind is far.kind:
        if thing.kind is Kind.PROFILE and far.rank < thing.rank:  # a refused link names its ends in their order
            one, two, reason = words
            return Tie(far, thing, TieKind(tie), (two, one, reason))
        return Tie(thing, far, TieKind(tie), words) if away else Tie(far, thing, TieKind(tie), words)
    first, second = sorted((thing, far), key=lambda each: FIRST.index(each.kind))
    return Tie(first, second, TieKind(tie), words)


# profile_id, identifier_key, account_key (unique)
CALLED = """
UNWIND $things AS thing
CALL (thing) {
  MATCH (person:Profile {id: thing.profile})
  USING INDEX SEEK person:Profile(id)
  MATCH (anchor:Identifier {mint: thing.profile})
  USING INDEX SEEK anchor:Identifier(mint)
  RETURN coalesce(
    person.t_name, nullif(trim(coalesce(person.t_first_name, '') + ' ' + coalesce(person.t_last_name, '')), ''),
    person.t_email, anchor.key
  ) AS called
UNION ALL
  MATCH (account:Account {key: thing.account})
  USING INDEX SEEK account:Account(key)
  RETURN coalesce(account.name, account.key) AS called
}
RETURN coalesce(thing.profile, thing.account) AS name, thing.profile IS NULL AS is_account, toString(called) AS called
"""


async def names_of(reader: Reader, things: Iterable[Thing]) -> dict[Thing, str]:
    """What things are called: people by name or address, accounts by name, others by kind and key. One statement."""
    asked = list(dict.fromkeys(things))
    rows = await reader.rows(
        CALLED,
        things=[{each.kind.value: each.name} for each in asked if each.kind in (Kind.PROFILE, Kind.ACCOUNT)],
    )
    called = {Thing(Kind.ACCOUNT if row["is_account"] else Kind.PROFILE, row["name"]): row["called"] for row in rows}
    return {each: called.get(each) or _plain_name(each) for each in asked}


def _plain_name(thing: Thing) -> str:
    if thing.kind is Kind.IDENTIFIER:
        namespace, _, value = thing.name.partition(":")
        return f"{namespace} {value}"
    return f"{thing.kind.value} {thing.name}"
