"""Suggestions: candidates found by index, and what the pure rule (insight/suggestions.py) needs to judge them.

What more than 20 people share suggests nothing, so that a kiosk or a shop's address costs nothing; it is said in the
answer. The number of statements is the same whatever the size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from graph.acts import ACT_ROW, act_from
from graph.connection import Reader, Row
from graph.namespaces import declared_namespaces
from identity.evidence import Act, ActId
from identity.identifiers import IdentifierKey, ProfileId
from identity.stitching import standing_of
from insight.suggestions import (
    Affiliation,
    MergeRules,
    Organisation,
    Side,
    Suggestion,
    affiliation,
    comparable_name,
    same_person,
    strongest_first,
)

MOST_SHARERS = 20
MOST_OTHERS = 200
MOST_ACCOUNTS = 20
MOST_LEFT_OUT = 100

Found = Suggestion | Affiliation
Pair = tuple[ProfileId, ProfileId]


@dataclass(frozen=True, slots=True)
class Suggested:
    """The suggestions about a person, the strongest first. left_out: what too many people share to suggest anything."""

    found: tuple[Found, ...]
    left_out: tuple[IdentifierKey, ...]


@dataclass(slots=True)
class Sides:
    """People as suggestions look at them, and the manual acts about them. left_out: by profile."""

    people: dict[ProfileId, Side] = field(default_factory=dict)
    left_out: dict[ProfileId, tuple[IdentifierKey, ...]] = field(default_factory=dict)
    acts: dict[ActId, Act] = field(default_factory=dict)

    def judged(self, pairs: Sequence[Pair], rules: MergeRules) -> list[Suggestion]:
        """The suggestions among pairs of people, in the order of the pairs."""
        standing = standing_of(self.acts.values())
        known = [(self.people[a], self.people[b]) for a, b in pairs if a in self.people and b in self.people]
        found = (same_person(one, other, standing, rules) for one, other in known)
        return [each for each in found if each is not None]


# profile_id and identifier_mint (unique), then expands; how many share a thing is read off the node
SIDES = """
UNWIND $profiles AS id
MATCH (p:Profile {id: id})
USING INDEX SEEK p:Profile(id)
MATCH (anchor:Identifier {mint: id})
USING INDEX SEEK anchor:Identifier(mint)
WITH p, anchor
WHERE NOT p.shared
CALL (p) {
  MATCH (p)<-[:IDENTIFIES]-(i:Identifier)
  RETURN count(i) AS size, collect(CASE WHEN i.namespace IN $unique THEN i.key END) AS unique, collect(
    CASE WHEN i.namespace = 'email' THEN [
      i.key, coalesce(i.folded, i.value), i.mail_domain, COUNT {
        MATCH (tagged:ContactPoint)
        USING INDEX SEEK tagged:ContactPoint(folded)
        WHERE tagged.folded = coalesce(i.folded, i.value)
      } <= $most
    ] END
  ) AS emails
}
CALL (p) {
  MATCH (p)<-[:SHARED_BY]-(g:Identifier)
  WITH g
  ORDER BY g.key
  RETURN collect([g.key, g:Device, COUNT { (g)-[:SHARED_BY]->() } <= $most]) AS shares
}
CALL (p) {
  MATCH (p)<-[:IDENTIFIES]-(:Identifier)-[:MEMBER_OF|NOT_MEMBER_OF]->(said:Account)
  OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
  RETURN collect(DISTINCT coalesce(head, said).key) AS accounts
}
RETURN p.id AS id, anchor.key AS anchor, anchor.minted_at AS minted_at,
  p.t_name AS name, p.t_first_name AS first, p.t_last_name AS last, size, unique, emails, shares, accounts
"""

# profile_id (unique), then act_a and act_b (range) for each identifier
ACTS_OF = f"""
UNWIND $profiles AS profile
MATCH (anchor:Profile {{id: profile}})<-[:IDENTIFIES]-(i:Identifier)
USING INDEX SEEK anchor:Profile(id)
CALL (i) {{
  MATCH (x:Act {{a: i.key}})
  USING INDEX SEEK x:Act(a)
  RETURN x
  UNION
  MATCH (x:Act {{b: i.key}})
  USING INDEX SEEK x:Act(b)
  RETURN x
}}
RETURN profile, i.key AS key, {ACT_ROW}
"""


async def sides_of(reader: Reader, profiles: Sequence[ProfileId], rules: MergeRules) -> Sides:
    """What suggestions look at in each person; shared profiles are no people. Three statements."""
    asked, sides = sorted(set(profiles)), Sides()
    decided: dict[str, set[IdentifierKey]] = {}
    for row in await reader.rows(ACTS_OF, profiles=asked):
        sides.acts[ActId(row["id"])] = act_from(row)
        decided.setdefault(row["profile"], set()).add(IdentifierKey(row["key"]))
    declared = {each.name for each in await declared_namespaces(reader) if each.unique}
    unique = sorted(rules.unique | (declared - rules.named))
    for row in await reader.rows(SIDES, profiles=asked, unique=unique, most=MOST_SHARERS):
        side = _side(row, frozenset(decided.get(row["id"], ())))
        sides.people[side.profile] = side
        sides.left_out[side.profile] = tuple(IdentifierKey(key) for key, _, few in row["shares"] if not few)
    return sides


def _side(row: Row, decided: frozenset[IdentifierKey]) -> Side:
    emails = sorted(row["emails"], reverse=True)  # the smallest address is written last
    return Side(
        profile=ProfileId(row["id"]),
        anchor=IdentifierKey(row["anchor"]),
        minted_at=row["minted_at"],
        name=comparable_name(row["name"], row["first"], row["last"]),
        size=row["size"],
        emails={fold: IdentifierKey(key) for key, fold, _, few in emails if few},
        domains={domain: IdentifierKey(key) for key, _, domain, _ in emails if domain},
        points=frozenset(IdentifierKey(key) for key, device, few in row["shares"] if few and not device),
        devices=frozenset(IdentifierKey(key) for key, device, few in row["shares"] if few and device),
        unique=frozenset(map(IdentifierKey, row["unique"])),
        decided=decided,
        accounts=frozenset(row["accounts"]),
    )


# profile_id (unique), identifier_key (unique) and contact_point_folded (range); expands of what few people share
CANDIDATES = """
UNWIND $profiles AS id
CALL (id) {
  MATCH (p:Profile {id: id})<-[:IDENTIFIES]-(i:Identifier)
  USING INDEX SEEK p:Profile(id)
  WHERE i.namespace = 'email' AND NOT p.shared
  WITH DISTINCT coalesce(i.folded, i.value) AS folded
  CALL (folded) {
    MATCH (x:Identifier {key: 'email:' + folded})
    USING INDEX SEEK x:Identifier(key)
    RETURN x
    UNION
    MATCH (x:ContactPoint)
    USING INDEX SEEK x:ContactPoint(folded)
    WHERE x.folded = folded
    RETURN x
    LIMIT $most
  }
  MATCH (x)-[:IDENTIFIES]->(q:Profile)
  WHERE q.id <> id AND NOT q.shared
  RETURN q.id AS other
  UNION
  MATCH (p:Profile {id: id})<-[:SHARED_BY]-(g:Identifier)
  USING INDEX SEEK p:Profile(id)
  WITH id, g, COUNT { (g)-[:SHARED_BY]->() } AS sharers
  WHERE sharers <= $most
  MATCH (g)-[:SHARED_BY]->(q:Profile)
  WHERE q.id <> id
  RETURN q.id AS other
}
RETURN id, collect(other)[..$others] AS others
"""

# account_mail_domain (range), the first of each domain
ACCOUNTS_OF_DOMAINS = """
UNWIND $domains AS domain
CALL (domain) {
  MATCH (said:Account)
  USING INDEX SEEK said:Account(mail_domain, key)
  WHERE said.mail_domain = domain AND said.key IS NOT NULL
  WITH said
  ORDER BY said.mail_domain, said.key
  LIMIT $most
  OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
  WITH DISTINCT coalesce(head, said) AS account
  ORDER BY account.key
  RETURN collect([account.key, account.name]) AS accounts
}
RETURN domain, accounts
"""


async def suggestions_of(
    reader: Reader, profiles: Sequence[ProfileId], rules: MergeRules
) -> dict[ProfileId, Suggested]:
    """The suggestions about each person, the strongest first; a shared profile has no entry.

    Five statements. Cost: the people who share something with the person, 20 a thing and 200 in all at most.
    """
    rows = await reader.rows(CANDIDATES, profiles=list(profiles), most=MOST_SHARERS, others=MOST_OTHERS)
    others = {ProfileId(row["id"]): [ProfileId(other) for other in row["others"]] for row in rows}
    sides = await sides_of(reader, [*profiles, *(each for found in others.values() for each in found)], rules)
    domains = sorted({domain for id_ in profiles if id_ in sides.people for domain in sides.people[id_].domains})
    accounts = await accounts_of_domains(reader, domains)
    return {
        id_: Suggested(
            strongest_first(
                [
                    *sides.judged([(id_, other) for other in others.get(id_, [])], rules),
                    *_affiliations(sides.people[id_], accounts),
                ]
            ),
            sides.left_out[id_][:MOST_LEFT_OUT],
        )
        for id_ in profiles
        if id_ in sides.people
    }


def _affiliations(person: Side, accounts: Mapping[str, Sequence[Organisation]]) -> list[Affiliation]:
    found = (affiliation(person, account) for domain in person.domains for account in accounts.get(domain, ()))
    return [each for each in found if each is not None]


async def accounts_of_domains(reader: Reader, domains: Sequence[str]) -> dict[str, tuple[Organisation, ...]]:
    """The accounts of each mail domain, by key, 20 at most. One statement."""
    rows = await reader.rows(ACCOUNTS_OF_DOMAINS, domains=list(domains), most=MOST_ACCOUNTS)
    return {
        row["domain"]: tuple(Organisation(key, row["domain"], name) for key, name in row["accounts"]) for row in rows
    }


# identifier_key (unique)
PROFILES_WITH = """
UNWIND $keys AS key
MATCH (anchor:Identifier {key: key})-[:IDENTIFIES]->(p:Profile)
USING INDEX SEEK anchor:Identifier(key)
RETURN key, p.id AS profile
"""


async def suggestion_between(
    reader: Reader, a: IdentifierKey, b: IdentifierKey, rules: MergeRules
) -> Suggestion | None:
    """What is suggested of the people of two identifiers; None when nothing is, or nothing any more."""
    rows = await reader.rows(PROFILES_WITH, keys=[a, b])
    people = [ProfileId(row["profile"]) for row in rows]
    sides = await sides_of(reader, people, rules)
    return next(iter(sides.judged(list(combinations(people, 2)), rules)), None)


async def affiliation_between(reader: Reader, a: IdentifierKey, account: str, rules: MergeRules) -> Affiliation | None:
    """What is suggested of the person of an address and an account; None when nothing is, or nothing any more."""
    rows = await reader.rows(PROFILES_WITH, keys=[a])
    people = (await sides_of(reader, [ProfileId(row["profile"]) for row in rows], rules)).people.values()
    for person in people:
        accounts = await accounts_of_domains(reader, sorted(person.domains))
        return next((each for each in _affiliations(person, accounts) if each.account.key == account), None)
    return None
