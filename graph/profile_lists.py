"""Lists of profiles: in the order of an index, filtered, cut into pages that cost what they pass over; or by a text.

A page stops after 10,000 profiles that it passed over: then it may be short, and says where the next one goes on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

from graph.connection import Reader
from graph.counting import MOST_COUNTED, Counted
from graph.profiles import Profile, profile_from
from graph.searching import MOST_HITS, lucene_query
from graph.segments import Asked, compiled
from identity.messages import Json
from insight.segments import LARGEST_INTEGER, SMALLEST_INTEGER, Definition

LOOKED_AT = 10_000
Span = tuple[int, int]
EVER: Span = (SMALLEST_INTEGER, LARGEST_INTEGER)


class Order(Enum):
    """In which order a list comes."""

    ID = "id"
    LAST_SEEN = "last_seen"
    FIRST_SEEN = "first_seen"


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """Which profiles a list shows; None shows both. traits: named traits (canonical names) with the value they have.

    where: a definition that is true of them. account: the key of one that they belong to. Spans in µs, ends included.
    """

    known: bool | None = None
    shared: bool | None = None
    traits: tuple[tuple[str, Json], ...] = ()
    where: Definition | None = None
    account: str | None = None
    first_seen: Span = EVER
    last_seen: Span = EVER


@dataclass(frozen=True, slots=True)
class Listing:
    """A list. named: the traits that the policy names. now: µs, the moment at which a definition is asked."""

    wanted: ProfileFilter = field(default_factory=ProfileFilter)
    order: Order = Order.ID
    named: Collection[str] = ()
    now: int = 0


# The place of a profile in a list: its moment in µs where the order has one, and its id.
Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """Profiles in their order. end: where to go on, where the page stopped before it was full; else None."""

    found: tuple[Profile, ...]
    end: Place | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A profile that a text search found, and how well."""

    profile: Profile
    score: float


ROW = "profile {.id, .known, .shared, .first_seen, .last_seen, .pending}"


async def profiles_page(reader: Reader, asked: Listing, after: Place | None, first: int) -> ProfilePage:
    """The profiles after a place, in the order of the list, at most `first`. One statement.

    Raises ValueError for a trait that is not named. Cost: what it passes over, 10,000 profiles at most.
    """
    walk, parameters = _walk(asked, after)
    condition, more = _condition(asked)
    (row,) = await reader.rows(
        f"""
CALL () {{
  {walk}LIMIT $looked_at
  WITH profile
  WHERE {condition}
  WITH profile
  LIMIT $first
  RETURN collect({ROW}) AS found
}}
OPTIONAL CALL (found) {{
  UNWIND CASE WHEN size(found) < $first THEN [true] ELSE [] END AS short
  CALL () {{
    {walk}SKIP $looked_at - 1
    LIMIT 1
    RETURN profile.{asked.order.value} AS at, profile.id AS id
  }}
  RETURN at, id
}}
RETURN found, at, id
""",
        **parameters,
        **more,
        first=first,
        looked_at=LOOKED_AT,
    )
    end = None if row["id"] is None else _place(asked.order, row["at"], row["id"])
    return ProfilePage(tuple(map(profile_from, row["found"])), end)


def place_of(order: Order, profile: Profile) -> Place:
    """The place of a profile in a list."""
    return _place(order, getattr(profile, order.value), profile.id)


def _place(order: Order, at: int, id_: str) -> Place:
    return (0 if order is Order.ID else at, id_)


async def count_of_profiles(reader: Reader, asked: Listing) -> Counted:
    """How many profiles a list has among its first 10,000. One statement."""
    walk, parameters = _walk(asked, None)
    condition, more = _condition(asked)
    (row,) = await reader.rows(
        f"{walk}LIMIT $looked_at\n"
        f"RETURN count(profile) AS looked_at, count(CASE WHEN {condition} THEN 1 END) AS number",
        **parameters,
        **more,
        looked_at=MOST_COUNTED + 1,
    )
    return Counted(min(row["number"], MOST_COUNTED), row["looked_at"] > MOST_COUNTED)


def _walk(asked: Listing, after: Place | None) -> tuple[str, dict[str, object]]:
    """The profiles in the order of an index, from a place on."""
    at, last = after or (LARGEST_INTEGER, "" if asked.order is Order.ID else "\U0010ffff")
    if asked.order is Order.ID:
        known = asked.wanted.known
        if known is None:
            return _walk_by("id", "profile.id > $after", "profile.id"), {"after": last}
        condition = "profile.known = $known AND profile.id > $after"
        return _walk_by("known, id", condition, "profile.known, profile.id"), {"after": last, "known": known}
    start, end = asked.wanted.last_seen if asked.order is Order.LAST_SEEN else asked.wanted.first_seen
    if end < at:
        at, last = end, "\U0010ffff"
    moment = f"profile.{asked.order.value}"
    condition = f"""{moment} >= $start AND {moment} <= $at AND profile.id IS NOT NULL
  AND CASE WHEN {moment} = $at THEN profile.id < $after ELSE true END"""
    walk = _walk_by(f"{asked.order.value}, id", condition, f"{moment} DESC, profile.id DESC")
    return walk, {"start": start, "at": at, "after": last}


def _walk_by(index: str, condition: str, order: str) -> str:
    return f"""
MATCH (profile:Profile)
USING INDEX SEEK profile:Profile({index})
WHERE {condition}
WITH profile
ORDER BY {order}
"""


BELONGS = """EXISTS {
    (profile)<-[:IDENTIFIES]-(:Identifier)-[:MEMBER_OF]->(:Account)-[:MERGED_INTO*0..1]->(:Account {key: $account})
  }"""


def _condition(asked: Listing) -> tuple[str, Mapping[str, object]]:
    """What is true of the profiles of a list, with its parameters; `true` where all are wanted."""
    wanted = asked.wanted
    parts: list[str] = []
    parameters: dict[str, object] = {}

    def add(part: str, **more: object) -> None:
        parts.append(part)
        parameters.update(more)

    if wanted.known is not None:
        add("profile.known = $known_as", known_as=wanted.known)
    if wanted.shared is not None:
        add("profile.shared = $shared", shared=wanted.shared)
    if wanted.traits:
        add(
            "all(trait IN $traits WHERE profile[trait[0]] = trait[1])",
            traits=[[f"t_{name}", value] for name, value in wanted.traits],
        )
    if wanted.account is not None:
        add(BELONGS, account=wanted.account)
    if wanted.first_seen != EVER:
        add("$first_seen[0] <= profile.first_seen <= $first_seen[1]", first_seen=list(wanted.first_seen))
    if wanted.last_seen != EVER:
        add("$last_seen[0] <= profile.last_seen <= $last_seen[1]", last_seen=list(wanted.last_seen))
    if wanted.where is not None:
        condition, more = compiled(Asked(wanted.where, asked.named, asked.now))
        add(f"NOT profile.shared AND {condition}", **more)
    return " AND ".join(parts) or "true", parameters


async def profiles_found(
    reader: Reader, text: str, asked: Listing, after: tuple[float, str] | None, first: int
) -> tuple[Hit, ...]:
    """The profiles whose names, email or company hold every word of a text, the best first, at most `first`.

    after: score and id of the last hit already shown. A text without any letter or digit finds nobody. Of the best
    1,000 hits those are shown that are wanted. Raises ValueError for a trait that is not named.
    """
    query = lucene_query(text)
    if not query:
        return ()
    score, last = after or (float("inf"), "")
    condition, parameters = _condition(asked)
    rows = await reader.rows(
        f"""
CALL db.index.fulltext.queryNodes('profile_text', $text, {{limit: $most}}) YIELD node AS profile, score
WHERE (score < $score OR (score = $score AND profile.id > $after)) AND {condition}
RETURN {ROW} AS profile, score
ORDER BY score DESC, profile.id
LIMIT $first
""",
        text=query,
        most=MOST_HITS,
        score=score,
        after=last,
        first=first,
        **parameters,
    )
    return tuple(Hit(profile_from(row["profile"]), row["score"]) for row in rows)
