"""Who belongs to accounts: members, and colleagues, page by page.

A membership says of which account it is, and which mint its identifier has, for an index: of each account a page is
read in the order of mints, which is the order of time. Somebody stands where the earliest of those identifiers stands
by which she belongs to any of the accounts asked for. Who become one stand where the first of them stood; so who was
shown stands where she stood, or earlier, and a page goes on behind her.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graph.accounts import MOST_STATEMENTS, PROFILE_ROW, RANK, STATEMENT_ROW, After, history_from, parts_within
from graph.connection import Reader, Row
from graph.profiles import Profile, profile_from
from identity.accounts import Belonging

Ask = TypeVar("Ask")


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of some accounts. place: where she stands among their people."""

    profile: Profile
    place: str


@dataclass(frozen=True, slots=True)
class Colleagues:
    """A page of people. end: where to go on, where the page stopped before it was full; else None."""

    found: tuple[Colleague, ...]
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """An account's side of a membership. history: what was said of it, the role that is shown first.

    place: where the person stands among the members of the account.
    """

    profile: Profile
    history: tuple[Belonging, ...]
    place: str

    @property
    def belonging(self) -> Belonging:
        """What is shown of it."""
        return self.history[0]


@dataclass(frozen=True, slots=True)
class MemberPage:
    """A page of members. end: where to go on, where the page stopped before it was full; else None."""

    found: tuple[Member, ...]
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Among:
    """Whom to list: all of some accounts, after a place. keys: of none that is merged; without: the id of a profile."""

    keys: tuple[str, ...]
    last: str = ""
    without: str = ""


# How many identifiers are looked at for a page of a size: those by which somebody belongs who has another place already
# are passed over. Then a page may be short, as where a filter passes over others.
PASSED = 5
LEAST_PASSED = 50


# Where somebody has another place already is looked up row by row, in the order of the window, until the page is full:
# all of her earlier identifiers are looked at, but of each that belongs to anything as few memberships as will do. What
# is asked of them stands behind the DISTINCT: before it the planner was met seeking all mints that are smaller.
def _people_of(parts: str) -> str:
    """The part of a statement that answers the next $first people of `asked` who belong to `parts`, and their places.

    parts: what answers the accounts as `head`, none of them merged; all that was merged into them counts, too.
    """
    return f"""
  CALL (asked) {{
    {parts}
    MATCH (head)<-[:MERGED_INTO*0..1]-(said:Account)
    RETURN collect(DISTINCT said.key) AS parts
  }}
  CALL (asked, parts) {{
    UNWIND parts AS part
    CALL (asked, part) {{
      MATCH (identifier:Identifier)-[membership:MEMBER_OF]->(:Account)
      USING INDEX SEEK membership:MEMBER_OF(of, mint)
      WHERE membership.of = part AND membership.mint > asked.last
      WITH DISTINCT membership.of AS account, membership.mint AS mint, identifier
      ORDER BY account, mint
      LIMIT $looked_at
      RETURN mint, identifier
    }}
    WITH DISTINCT mint, identifier
    ORDER BY mint
    LIMIT $looked_at
    RETURN collect(identifier) AS window, collect(mint) AS places
  }}
  CALL (asked, parts, window) {{
    UNWIND window AS identifier
    CALL (asked, parts, identifier) {{
      MATCH (identifier)-[:IDENTIFIES]->(profile:Profile)
      WHERE NOT profile.shared AND profile.id <> asked.without
      CALL (parts, identifier, profile) {{
        MATCH (profile)<-[:IDENTIFIES]-(other:Identifier)
        WITH DISTINCT parts, identifier, other
        WHERE other.mint < identifier.mint AND EXISTS {{ (other)-[:MEMBER_OF]->() }}
        WITH parts, other, COUNT {{ (other)-[:MEMBER_OF]->() }} <= size(parts) AS few
        CALL (parts, other, few) {{
          UNWIND CASE WHEN few THEN [other] ELSE [] END AS it
          MATCH (it)-[membership:MEMBER_OF]->(:Account)
          WHERE membership.of IN parts
          RETURN membership
          LIMIT 1
        UNION
          UNWIND CASE WHEN few THEN [] ELSE parts END AS part
          MATCH (:Identifier)-[membership:MEMBER_OF]->(:Account)
          USING INDEX SEEK membership:MEMBER_OF(who, of)
          WHERE membership.who = other.key AND membership.of = part
          RETURN membership
          LIMIT 1
        }}
        WITH membership
        LIMIT 1
        RETURN count(membership) AS earlier
      }}
      WITH profile, earlier
      WHERE earlier = 0
      RETURN profile
    }}
    WITH profile, identifier.mint AS place
    LIMIT $first
    RETURN collect([profile, place]) AS people
  }}
  WITH asked, parts, people, CASE
    WHEN size(people) < $first AND size(places) = $looked_at THEN places[-1]
  END AS stop"""


_named = """UNWIND asked.keys AS key
    MATCH (head:Account {key: key})
    USING INDEX SEEK head:Account(key)"""

_hers = """MATCH (person:Profile {id: asked.without})<-[:IDENTIFIES]-(:Identifier)-[:MEMBER_OF]->(own:Account)
    USING INDEX SEEK person:Profile(id)
    WITH DISTINCT own
    OPTIONAL MATCH (own)-[:MERGED_INTO]->(other:Account)
    WITH DISTINCT coalesce(other, own) AS head"""

_shown = f"""
  CALL (people) {{
    UNWIND people AS each
    WITH each[0] AS profile, each[1] AS place
    RETURN collect([{PROFILE_ROW}, place]) AS shown
  }}
  RETURN shown, stop"""

# account_key (unique), then member_mint (of, mint) in its order
PEOPLE_AMONG = f"""
UNWIND range(0, size($asked) - 1) AS number
WITH number, $asked[number] AS asked
CALL (asked) {{{_people_of(_named)}{_shown}
}}
RETURN number, shown, stop
"""

# profile_id (unique), then as PEOPLE_AMONG
COLLEAGUES_OF = f"""
UNWIND range(0, size($asked) - 1) AS number
WITH number, $asked[number] AS asked
CALL (asked) {{{_people_of(_hers)}{_shown}
}}
RETURN number, shown, stop
"""

# as PEOPLE_AMONG, then the memberships of those who are found
MEMBERS_OF = f"""
UNWIND range(0, size($asked) - 1) AS number
WITH number, $asked[number] AS asked
CALL (asked) {{{_people_of(_named)}
  CALL (parts, people) {{
    UNWIND people AS each
    WITH parts, each[0] AS profile, each[1] AS place
    CALL (profile, parts) {{
      MATCH (profile)<-[:IDENTIFIES]-(identifier:Identifier)-[membership:MEMBER_OF]->(said:Account)
      WHERE membership.of IN parts
      WITH membership, said, identifier
      ORDER BY {RANK}
      LIMIT $statements
      RETURN collect({STATEMENT_ROW}) AS statements
    }}
    WITH profile, place, statements
    ORDER BY place
    RETURN collect([{PROFILE_ROW}, place, statements]) AS members
  }}
  RETURN members, stop
}}
RETURN number, members, stop
"""


async def members_of(
    reader: Reader, asks: Sequence[After], first: int, depth: int, roles: tuple[str, ...]
) -> dict[After, MemberPage]:
    """The people of each account, in the order in which they were first met, at most `first`.

    depth: 1 is the account's own people, 2 also those of the accounts that are part of it, and so on.
    roles: the highest first. So many statements as the depth. Cost: for each of the accounts a page; where most people
    belong by many identifiers, a page may stop before it is full.
    """
    parts = await parts_within(reader, {each.owner for each in asks}, depth)
    among = [Among(tuple(sorted(parts[each.owner])), each.last) for each in asks]
    rows = await _rows(reader, MEMBERS_OF, among, first, roles=list(roles), statements=MOST_STATEMENTS)
    return {asks[row["number"]]: _members(row, roles) for row in rows}


async def people_among(reader: Reader, asks: Sequence[Among], first: int, depth: int) -> dict[Among, Colleagues]:
    """The people of any of some accounts and what is part of them, as `members_of`."""
    parts = await parts_within(reader, {key for each in asks for key in each.keys}, depth)
    among = [
        Among(tuple(sorted({part for key in each.keys for part in parts[key]})), each.last, each.without)
        for each in asks
    ]
    return _colleagues(await _rows(reader, PEOPLE_AMONG, among, first), asks)


async def colleagues_of(reader: Reader, asks: Sequence[After], first: int) -> dict[After, Colleagues]:
    """The other people in any account of each profile, in the order of `members_of`, at most `first`.

    Without any there is an empty page. One statement. Cost: as `members_of`.
    """
    among = [Among((), each.last, each.owner) for each in asks]
    return _colleagues(await _rows(reader, COLLEAGUES_OF, among, first), asks)


async def _rows(
    reader: Reader, statement: str, asks: Iterable[Among], first: int, **given: Sequence[str] | int
) -> list[Row]:
    asked = [{"keys": list(each.keys), "last": each.last, "without": each.without} for each in asks]
    looked_at = max(LEAST_PASSED, PASSED * first)
    return await reader.rows(statement, asked=asked, first=first, looked_at=looked_at, **given)


def _members(row: Row, roles: tuple[str, ...]) -> MemberPage:
    members = (
        Member(profile_from(profile), history_from(said, roles), place) for profile, place, said in row["members"]
    )
    return MemberPage(tuple(members), row["stop"])


def _colleagues(rows: Iterable[Row], asks: Sequence[Ask]) -> dict[Ask, Colleagues]:
    return {
        asks[row["number"]]: Colleagues(
            tuple(Colleague(profile_from(profile), place) for profile, place in row["shown"]), row["stop"]
        )
        for row in rows
    }
