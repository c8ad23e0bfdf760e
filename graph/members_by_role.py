"""Who belongs to accounts in one of some roles, page by page in the order of ids.

An index knows whose roles these are, but not in which order. Up to 5,000 of them are read and put in order; where there
are more, everybody is walked in the order of ids, among whom they are many, but no further than 10,000: then a page may
be short, and says where the next one goes on.
"""

from collections.abc import Sequence

from graph.accounts import (
    MOST_STATEMENTS,
    PROFILE_ROW,
    RANK,
    STATEMENT_ROW,
    After,
    history_from,
    parts_within,
)
from graph.connection import Reader, Row
from graph.members import Member, MemberPage
from graph.profiles import profile_from

FEW = 5_000
LOOKED_AT = 10_000

_everybody = """MATCH (profile:Profile)
        USING INDEX SEEK profile:Profile(id)
        WHERE profile.id > asked.last
        WITH profile
        ORDER BY profile.id"""

# What is asked of a person stands behind the DISTINCT: before it the planner was met seeking everybody's ids in the
# place of the few whose role it is.
# account_key (unique), then member_role (of, role), or profile_id (unique) in its order, for each account
MEMBERS_BY_ROLE = f"""
UNWIND $asked AS asked
CALL (asked) {{
  UNWIND asked.keys AS key
  MATCH (head:Account {{key: key}})
  USING INDEX SEEK head:Account(key)
  MATCH (head)<-[:MERGED_INTO*0..1]-(said:Account)
  RETURN collect(DISTINCT said) AS parts
}}
CALL (parts) {{
  UNWIND parts AS said
  UNWIND $wanted AS role
  MATCH (identifier:Identifier)-[membership:MEMBER_OF]->(:Account)
  USING INDEX SEEK membership:MEMBER_OF(of, role)
  WHERE membership.of = said.key AND membership.role = role
  WITH identifier
  LIMIT $few + 1
  RETURN collect(identifier) AS having
}}
WITH asked, parts, having, size(having) > $few AS many
CALL (asked, parts, having, many) {{
  UNWIND CASE WHEN many THEN [] ELSE [having] END AS few
  CALL (asked, few) {{
    UNWIND few AS identifier
    MATCH (identifier)-[:IDENTIFIES]->(profile:Profile)
    WITH DISTINCT profile
    WHERE NOT profile.shared AND profile.id > asked.last
    WITH profile
    ORDER BY profile.id
    LIMIT $first
    RETURN collect(profile) AS people
  }}
  RETURN people, null AS stop
UNION ALL
  UNWIND CASE WHEN many THEN [asked] ELSE [] END AS walked
  CALL (asked, parts) {{
    CALL (asked, parts) {{
        {_everybody}
        LIMIT $looked_at
        WITH profile
        WHERE NOT profile.shared AND EXISTS {{
          (profile)<-[:IDENTIFIES]-(:Identifier)-[membership:MEMBER_OF]->(said:Account)
          WHERE said IN parts AND membership.role IN $wanted
        }}
        WITH profile
        LIMIT $first
        RETURN collect(profile) AS people
    }}
    OPTIONAL CALL (asked, people) {{
      UNWIND CASE WHEN size(people) < $first THEN [true] ELSE [] END AS short
      CALL (asked) {{
        {_everybody}
        SKIP $looked_at - 1
        LIMIT 1
        RETURN profile.id AS stop
      }}
      RETURN stop
    }}
    RETURN people, stop
  }}
  RETURN people, stop
}}
CALL (parts, people) {{
  UNWIND people AS profile
  CALL (profile, parts) {{
    MATCH (profile)<-[:IDENTIFIES]-(identifier:Identifier)-[membership:MEMBER_OF]->(said:Account)
    WHERE said IN parts
    WITH membership, said, identifier
    ORDER BY {RANK}
    LIMIT $statements
    RETURN collect({STATEMENT_ROW}) AS statements
  }}
  WITH profile, statements
  ORDER BY profile.id
  RETURN collect([{PROFILE_ROW}, statements]) AS members
}}
RETURN asked.owner AS owner, asked.last AS last, members, stop
"""


async def members_by_role(
    reader: Reader, asks: Sequence[After], first: int, depth: int, wanted: tuple[str, ...], roles: tuple[str, ...]
) -> dict[After, MemberPage]:
    """The people of each account of whom one of the `wanted` roles was said, at most `first`; depth as `members_of`.

    roles: the highest first; the highest of a person is shown, whichever was asked for. So many statements as the
    depth. Cost: the memberships of these roles, 5,000 at most; where there are more, at most 10,000 people.
    """
    parts = await parts_within(reader, {each.owner for each in asks}, depth)
    asked = [{"owner": each.owner, "last": each.last, "keys": sorted(parts[each.owner])} for each in asks]
    bounds = {"statements": MOST_STATEMENTS, "few": FEW, "looked_at": LOOKED_AT}
    rows = await reader.rows(
        MEMBERS_BY_ROLE, asked=asked, first=first, wanted=list(wanted), roles=list(roles), **bounds
    )
    return {After(row["owner"], row["last"]): _page(row, first, roles) for row in rows}


def _page(row: Row, first: int, roles: tuple[str, ...]) -> MemberPage:
    found = tuple(
        Member(profile_from(profile), history_from(said, roles), profile["id"]) for profile, said in row["members"]
    )
    return MemberPage(found, row["stop"] if len(found) < first else None)
