"""All suggestions there are, page by page: ground by ground, the strongest first, each walked along its index.

A page looks at no more than 50 groups of each ground (addresses that fold to one, what several people share, accounts
of a domain), so it can be shorter than asked, or empty, though there is more: its end says where to go on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from graph.connection import Reader, Row
from graph.suggestions import MOST_LEFT_OUT, MOST_SHARERS, Found, Pair, Sides, sides_of
from identity.identifiers import IdentifierKey, ProfileId
from insight.free_mail import FREE_MAIL
from insight.suggestions import SCORES, Affiliation, Ground, MergeRules, Organisation, Suggestion, affiliation

GROUPS = 50
LAST = "\U0010ffff"
GROUNDS = tuple(SCORES)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a page begins: after the suggestion at this place. ground: its number; group: of two parts."""

    ground: int = 0
    group: tuple[str, str] = ("", "")
    pair: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Page:
    """Suggestions with their places. end: where to go on, None when there is no more. left_out: shared by too many."""

    found: tuple[tuple[Place, Found], ...]
    end: Place | None
    left_out: tuple[IdentifierKey, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """People who have something in common. place: its key; account: where that is one, and then `email` an address."""

    place: tuple[str, str]
    profiles: tuple[ProfileId, ...]
    crowded: bool = False
    account: Organisation | None = None
    emails: tuple[IdentifierKey, ...] = ()


# contact_point_folded (range), in its order; identifier_key (unique)
FOLDED_GROUPS = """
MATCH (i:ContactPoint)
USING INDEX SEEK i:ContactPoint(folded)
WHERE i.folded >= $first
WITH DISTINCT i.folded AS folded
ORDER BY folded
LIMIT $groups
CALL (folded) {
  CALL (folded) {
    MATCH (x:Identifier {key: 'email:' + folded})
    USING INDEX SEEK x:Identifier(key)
    RETURN x
    UNION
    MATCH (x:ContactPoint)
    USING INDEX SEEK x:ContactPoint(folded)
    WHERE x.folded = folded
    RETURN x
    LIMIT $most + 1
  }
  MATCH (x)-[:IDENTIFIES]->(p:Profile)
  WHERE NOT p.shared
  RETURN collect(DISTINCT p.id) AS profiles
}
RETURN folded AS key, false AS crowded, profiles
ORDER BY key
"""


def _shared_groups(label: str) -> str:
    return f"""
CALL () {{
  UNWIND ['values', 'partners'] AS generic
  CALL (generic) {{
    MATCH (g:{label})
    USING INDEX SEEK g:{label}(generic, key)
    WHERE g.generic = generic AND g.key >= $first
    RETURN g
    ORDER BY g.generic, g.key
    LIMIT $groups
  }}
  RETURN g
  ORDER BY g.key
  LIMIT $groups
}}
CALL (g) {{
  WITH g
  WHERE COUNT {{ (g)-[:SHARED_BY]->() }} <= $most
  MATCH (g)-[:SHARED_BY]->(p:Profile)
  RETURN collect(p.id) AS profiles
}}
RETURN g.key AS key, COUNT {{ (g)-[:SHARED_BY]->() }} > $most AS crowded, profiles
ORDER BY key
"""


# contact_point_generic (range), in its order, once for each reason
SHARED_POINT_GROUPS = _shared_groups("ContactPoint")

# device_generic (range), in its order, once for each reason
SHARED_DEVICE_GROUPS = _shared_groups("Device")

# account_mail_domain (range) and contact_point_mail_domain (range), each in its order
DOMAIN_GROUPS = """
MATCH (said:Account)
USING INDEX SEEK said:Account(mail_domain, key)
WHERE said.mail_domain >= $first AND said.key IS NOT NULL
  AND (said.mail_domain > $first OR said.key >= $second) AND NOT said.mail_domain IN $free
WITH said
ORDER BY said.mail_domain, said.key
LIMIT $groups
OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
WITH said, coalesce(head, said) AS account,
  CASE WHEN said.mail_domain = $first AND said.key = $second THEN $email ELSE '' END AS after
CALL (said, after) {
  MATCH (i:ContactPoint)
  USING INDEX SEEK i:ContactPoint(mail_domain, key)
  WHERE i.mail_domain = said.mail_domain AND i.key > after
  WITH i
  ORDER BY i.mail_domain, i.key
  LIMIT $groups
  MATCH (i)-[:IDENTIFIES]->(p:Profile)
  RETURN collect([i.key, p.id]) AS people
}
RETURN said.mail_domain AS domain, said.key AS said, account.key AS account, account.name AS name, people
ORDER BY domain, said
"""


async def suggestions_page(reader: Reader, after: Place, first: int, least: float, rules: MergeRules) -> Page:
    """The suggestions of a score of at least `least` after a place, at most `first`.

    At most eight statements: one for each ground until one has more than is looked at, three for all people met.
    """
    read: list[tuple[int, list[Group]]] = []
    end: Place | None = None
    for number in range(after.ground, len(GROUNDS)):
        if SCORES[GROUNDS[number]] < least:
            break
        groups, rest = await _groups(reader, GROUNDS[number], after if number == after.ground else Place(number))
        read.append((number, groups))
        if rest is not None:
            end = Place(number, *rest)
            break
    met = {profile for _, groups in read for group in groups for profile in group.profiles}
    sides = await sides_of(reader, sorted(met), rules)
    found = [each for number, groups in read for each in _judged(number, groups, sides, rules) if each[0] > after]
    left_out = dict.fromkeys(IdentifierKey(group.place[0]) for _, groups in read for group in groups if group.crowded)
    if len(found) > first:
        end = found[first - 1][0]
    return Page(tuple(found[:first]), end, tuple(left_out)[:MOST_LEFT_OUT])


Rest = tuple[tuple[str, str], tuple[str, str]] | None


async def _groups(reader: Reader, ground: Ground, after: Place) -> tuple[list[Group], Rest]:
    """The next groups of a ground, and where to go on after them; None when these are the last."""
    first, second = after.group
    if ground is Ground.COMPANY_DOMAIN:
        asked = {"first": first, "second": second, "email": after.pair[0], "free": sorted(FREE_MAIL)}
        return _of_accounts(await reader.rows(DOMAIN_GROUPS, **asked, groups=GROUPS))
    statement = {
        Ground.FOLDED_EMAIL: FOLDED_GROUPS,
        Ground.SHARED_CONTACT_POINT: SHARED_POINT_GROUPS,
        Ground.SHARED_DEVICE: SHARED_DEVICE_GROUPS,
        Ground.SHARED_CONTACT_POINT_ONLY: SHARED_POINT_GROUPS,
    }[ground]
    rows = await reader.rows(statement, first=first, groups=GROUPS, most=MOST_SHARERS)
    groups = [Group((row["key"], ""), tuple(map(ProfileId, row["profiles"])), row["crowded"]) for row in rows]
    return groups, (groups[-1].place, (LAST, LAST)) if len(groups) == GROUPS else None


def _of_accounts(rows: Sequence[Row]) -> tuple[list[Group], Rest]:
    groups: list[Group] = []
    for row in rows:
        emails = tuple(IdentifierKey(key) for key, _ in row["people"])
        profiles = tuple(ProfileId(profile) for _, profile in row["people"])
        account = Organisation(row["account"], row["domain"], row["name"])
        groups.append(Group((row["domain"], row["said"]), profiles, account=account, emails=emails))
        if len(emails) == GROUPS:
            return groups, (groups[-1].place, (emails[-1], LAST))
    return groups, (groups[-1].place, (LAST, LAST)) if len(groups) == GROUPS else None


def _judged(number: int, groups: Sequence[Group], sides: Sides, rules: MergeRules) -> Iterator[tuple[Place, Found]]:
    for group in groups:
        if group.account is not None:
            yield from _affiliated(number, group, group.account, sides)
            continue
        pairs: list[Pair] = list(combinations(group.profiles, 2)) if len(group.profiles) <= MOST_SHARERS else []
        for each in sorted(sides.judged(pairs, rules), key=_in_question):
            if each.ground is GROUNDS[number] and each.over == group.place[0]:
                yield Place(number, group.place, _in_question(each)), each


def _in_question(each: Suggestion) -> tuple[str, str]:
    return each.a, each.b


def _affiliated(number: int, group: Group, account: Organisation, sides: Sides) -> Iterator[tuple[Place, Affiliation]]:
    for email, profile in zip(group.emails, group.profiles, strict=True):
        person = sides.people.get(profile)
        found = affiliation(person, account) if person is not None else None
        if found is not None and found.a == email:
            yield Place(number, group.place, (email, "")), found
