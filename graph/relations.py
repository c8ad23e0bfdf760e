"""What people have to do with each other: what is one tie away from a person, an account, a shared identifier, a thing.

A hub is never followed: what has more than 200 ties (an address of a whole company, a kiosk, an account of thousands)
is met, so that two people who both use it are still found to share it, but what lies behind it is not read. How many
ties a node has is read off the node. Of what an identifier did the newest 1,000 interactions are looked at.

For drawing there is more to see: a person's own identifiers; the products and campaigns that were told of together with
an order, a deal or a ticket, and whose account it is; who did at a shared device what is told of a thing. A product has
people around it, but people no products: what somebody looked at in years would fill every drawing of her.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from graph.connection import Reader, Row
from insight.relations import Kind, Thing, Tie, TieKind
from insight.things import text_in

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
    """How far to look. most: ties of a thing that is no hub. drawn: whether there is to be seen what drawings show.

    partly: whether of an order, deal, ticket, product or campaign that is a hub so many interactions are looked at.
    """

    most: int = MOST_TIES
    drawn: bool = False
    partly: bool = False


# Of what is shared: which tie it makes, and how many share it.
SHARING = """CASE
    WHEN shared:ContactPoint THEN 'shares_contact_point' WHEN shared:Device THEN 'shares_device'
    ELSE 'shares_identifier'
  END AS tie, [toString(COUNT { (shared)-[:SHARED_BY]->() })] AS said"""
KIND_OF_THING = "CASE WHEN thing:Order THEN 'order' WHEN thing:Deal THEN 'deal' ELSE 'ticket' END"
KIND_OF_FAR = "toLower(labels(far)[0])"
BOUGHT = "(thing:Order AND far:Product) OR (thing:Product AND far:Order)"

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
  WHERE $drawn OR person.shared
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
  WHERE $drawn OR person.shared
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

# order_key, deal_key, ticket_key, product_key and campaign_key (unique), then what happened with each where it is no
# hub; account_key (unique) for the account that is named. Of a shared device who used it is sought among so many uses.
AROUND_THINGS = f"""
UNWIND $names AS name
CALL (name) {{
  MATCH (thing:Order {{key: name.order}})
  USING INDEX SEEK thing:Order(key)
  RETURN thing
UNION ALL
  MATCH (thing:Deal {{key: name.deal}})
  USING INDEX SEEK thing:Deal(key)
  RETURN thing
UNION ALL
  MATCH (thing:Ticket {{key: name.ticket}})
  USING INDEX SEEK thing:Ticket(key)
  RETURN thing
UNION ALL
  MATCH (thing:Product {{key: name.product}})
  USING INDEX SEEK thing:Product(key)
  RETURN thing
UNION ALL
  MATCH (thing:Campaign {{key: name.campaign}})
  USING INDEX SEEK thing:Campaign(key)
  RETURN thing
}}
WITH name, thing, COUNT {{ (thing)<-[:ABOUT]-() }} AS total
CALL (thing, total) {{
  WITH thing, total
  WHERE total <= $most OR $partly
  MATCH (thing)<-[:ABOUT]-(interaction:Interaction)
  WITH interaction LIMIT $most
  RETURN collect(interaction) AS events
}}
CALL (events) {{
  UNWIND CASE WHEN $drawn THEN events ELSE [] END AS interaction
  MATCH (interaction)-[:BY]->(actor:Identifier)
  WHERE EXISTS {{ (actor)-[:SHARED_BY]->() }}
  WITH actor, collect(interaction) AS done
  WITH actor, done, size(done) * COUNT {{ (actor)-[:SHARED_BY]->() }} <= $most AS few
  RETURN collect(CASE WHEN few THEN [actor, done] END) AS shared, count(CASE WHEN NOT few THEN 1 END) > 0 AS cut
}}
OPTIONAL CALL (thing, events, shared) {{
  UNWIND events AS interaction
  MATCH (interaction)-[:BY]->(:Identifier)-[:IDENTIFIES]->(person:Profile)
  WHERE NOT person.shared
  WITH person, min(interaction.name) AS what
  RETURN 'profile' AS kind, person.id AS other, 'about' AS tie, [coalesce(what, '')] AS said
UNION
  UNWIND shared AS each
  WITH each[0] AS actor, each[1] AS done
  MATCH (actor)-[use:SHARED_BY]->(person:Profile)
  UNWIND done AS interaction
  WITH person, interaction, use.spans AS spans
  WHERE any(number IN range(0, size(coalesce(spans, [])) / 2 - 1)
    WHERE spans[2 * number] <= interaction.at <= spans[2 * number + 1])
  WITH person, min(interaction.name) AS what
  RETURN 'profile' AS kind, person.id AS other, 'about' AS tie, [coalesce(what, '')] AS said
UNION
  UNWIND CASE WHEN $drawn THEN events ELSE [] END AS interaction
  MATCH (interaction)-[:ABOUT]->(far:Order|Deal|Ticket|Product|Campaign)
  WHERE labels(far) <> labels(thing) AND (thing:Order|Deal|Ticket OR far:Order|Deal|Ticket)
  WITH thing, far, min(interaction.name) AS what, {BOUGHT} AS bought
  RETURN {KIND_OF_FAR} AS kind, far.key AS other, CASE WHEN bought THEN 'contains' ELSE 'told_with' END AS tie,
    CASE WHEN bought THEN [] ELSE [coalesce(what, '')] END AS said
UNION
  WITH thing
  WHERE $drawn OR thing:Deal
  MATCH (told:Account {{key: thing.account}})
  USING INDEX SEEK told:Account(key)
  OPTIONAL MATCH (told)-[:MERGED_INTO]->(head:Account)
  RETURN 'account' AS kind, coalesce(head, told).key AS other,
    CASE WHEN thing:Deal THEN 'deal_of' ELSE 'for_account' END AS tie, [] AS said
}}
WITH name, total, cut, kind, other, tie, said
ORDER BY kind, other, tie, said
RETURN name, total, cut, collect(CASE WHEN other IS NOT NULL THEN [kind, other, tie, said] END) AS found
"""

LATEST = 2**62
THINGS = (Kind.ORDER, Kind.DEAL, Kind.TICKET, Kind.PRODUCT, Kind.CAMPAIGN)


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
        statement, names=names, most=reach.most, drawn=reach.drawn, latest=LATEST, interactions=MOST_INTERACTIONS
    )
    return {thing: _found(thing, row, reach) for row in rows for thing in [Thing(kind, row["name"])]}


async def _around_things(reader: Reader, by_kind: Mapping[Kind, Sequence[str]], reach: Reach) -> dict[Thing, Around]:
    names = [{kind.value: name} for kind in THINGS for name in by_kind.get(kind, ())]
    if not names:
        return {}
    rows = await reader.rows(AROUND_THINGS, names=names, most=reach.most, drawn=reach.drawn, partly=reach.partly)
    return {thing: _found(thing, row, reach) for row in rows for thing in _things(row["name"])}


def _things(named: Mapping[str, str]) -> list[Thing]:
    return [Thing(Kind(kind), name) for kind, name in named.items()]


def _found(thing: Thing, row: Row, reach: Reach) -> Around:
    ties = tuple(_tie(thing, *each) for each in row["found"])
    in_part = reach.partly and thing.kind in THINGS
    many = row.get("total", 0) > reach.most
    return Around(ties, hub=many and not in_part, cut=row.get("cut", False) or (many and in_part))


# Which of two things a tie is read from: a person before what she belongs to or uses, a deal before its account.
FIRST = (
    *(Kind.PROFILE, Kind.DEAL, Kind.ORDER, Kind.TICKET, Kind.PRODUCT, Kind.CAMPAIGN),
    *(Kind.IDENTIFIER, Kind.ACCOUNT),
)


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


def _facts_of(label: str) -> str:
    return f"""
UNION ALL
  MATCH (named:{label} {{key: thing.{label.lower()}}})
  USING INDEX SEEK named:{label}(key)
  RETURN '{label.lower()}' AS kind, named.key AS name, named.facts AS called"""


# profile_id, identifier_mint, account_key (unique); the key of each thing (unique)
CALLED = f"""
UNWIND $things AS thing
CALL (thing) {{
  MATCH (person:Profile {{id: thing.profile}})
  USING INDEX SEEK person:Profile(id)
  MATCH (anchor:Identifier {{mint: thing.profile}})
  USING INDEX SEEK anchor:Identifier(mint)
  RETURN 'profile' AS kind, person.id AS name, toString(coalesce(
    person.t_name, nullif(trim(coalesce(person.t_first_name, '') + ' ' + coalesce(person.t_last_name, '')), ''),
    person.t_email, anchor.key
  )) AS called
UNION ALL
  MATCH (account:Account {{key: thing.account}})
  USING INDEX SEEK account:Account(key)
  RETURN 'account' AS kind, account.key AS name, toString(coalesce(account.name, account.key)) AS called
{"".join(map(_facts_of, ("Deal", "Ticket", "Product", "Campaign")))}
}}
RETURN kind, name, called
"""
# By which facts things are called; orders have a number, which is their key.
TITLES: Mapping[Kind, Sequence[str]] = {
    Kind.DEAL: ("name",),
    Kind.TICKET: ("subject", "name"),
    Kind.PRODUCT: ("name", "title"),
    Kind.CAMPAIGN: ("name",),
}
NAMED = frozenset({Kind.PROFILE, Kind.ACCOUNT, *TITLES})


async def names_of(reader: Reader, things: Iterable[Thing]) -> dict[Thing, str]:
    """What things are called: people by name or address, accounts by name, others by kind and name or key.

    One statement.
    """
    asked = list(dict.fromkeys(things))
    rows = await reader.rows(CALLED, things=[{each.kind.value: each.name} for each in asked if each.kind in NAMED])
    called = {thing: _called(thing, row["called"]) for row in rows for thing in [Thing(Kind(row["kind"]), row["name"])]}
    return {each: called.get(each) or _plain_name(each) for each in asked}


def _called(thing: Thing, said: str | None) -> str | None:
    """What a thing is called by what was read of it, which is the text of its facts where it has any."""
    if thing.kind not in TITLES:
        return said
    title = text_in(msgspec.json.decode(said or "{}", type=dict[str, Any]), *TITLES[thing.kind])
    return f"{thing.kind.value} {title}" if title else None


def _plain_name(thing: Thing) -> str:
    if thing.kind is Kind.IDENTIFIER:
        namespace, _, value = thing.name.partition(":")
        return f"{namespace} {value}"
    return f"{thing.kind.value} {thing.name}"
