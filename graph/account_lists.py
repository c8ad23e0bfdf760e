"""Lists of accounts: by key, by when they were last seen, or the best hits of a text. Merged ones are one."""

from dataclasses import dataclass
from enum import Enum

from graph.accounts import ACCOUNT_ROW, Account, account_from
from graph.connection import Reader
from graph.counting import MOST_COUNTED, Counted
from graph.searching import MOST_HITS, lucene_query

LATEST, LAST = 2**62, "\U0010ffff"


class AccountOrder(Enum):
    """In which order a list of accounts comes."""

    KEY = "key"
    LAST_SEEN = "last_seen"


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts a list shows; None: all. domain: as addresses have it. since: last seen then or later, in µs."""

    namespace: str | None = None
    domain: str | None = None
    since: int | None = None


EVERY_ACCOUNT = AccountFilter()
WANTED = """NOT EXISTS { (account)-[:MERGED_INTO]->() }
  AND ($namespace IS NULL OR account.namespace = $namespace)
  AND ($domain IS NULL OR account.mail_domain = $domain)
  AND ($since IS NULL OR account.last_seen >= $since)"""

# account_key (unique), in its order
ACCOUNTS_BY_KEYS_ORDER = f"""
MATCH (account:Account)
USING INDEX SEEK account:Account(key)
WHERE account.key > $after AND {WANTED}
WITH account
ORDER BY account.key
LIMIT $first
RETURN {ACCOUNT_ROW} AS account
"""

# account_last_seen (last_seen, key), in its order, backwards
ACCOUNTS_LATEST = f"""
MATCH (account:Account)
USING INDEX SEEK account:Account(last_seen, key)
WHERE account.last_seen <= $at AND account.key IS NOT NULL
  AND CASE WHEN account.last_seen = $at THEN account.key < $after ELSE true END AND {WANTED}
WITH account
ORDER BY account.last_seen DESC, account.key DESC
LIMIT $first
RETURN {ACCOUNT_ROW} AS account, account.last_seen AS at
"""


async def accounts_page(
    reader: Reader, wanted: AccountFilter, order: AccountOrder, after: tuple[int, str] | None, first: int
) -> tuple[tuple[Account, int], ...]:
    """Accounts after a place, at most `first`, each with the moment of its place (0 in the order of keys).

    One statement. Cost: the accounts passed over until the page is full.
    """
    parameters = _parameters(wanted)
    if order is AccountOrder.KEY:
        _, last = after or (0, "")
        rows = await reader.rows(ACCOUNTS_BY_KEYS_ORDER, after=last, first=first, **parameters)
        return tuple((account_from(row["account"]), 0) for row in rows)
    at, last = after or (LATEST, LAST)
    rows = await reader.rows(ACCOUNTS_LATEST, at=at, after=last, first=first, **parameters)
    return tuple((account_from(row["account"]), row["at"]) for row in rows)


# account_text (full text); the best 1,000 hits are looked at
ACCOUNTS_FOUND = f"""
CALL db.index.fulltext.queryNodes('account_text', $text, {{limit: $most}}) YIELD node, score
OPTIONAL MATCH (node)-[:MERGED_INTO]->(head:Account)
WITH coalesce(head, node) AS account, max(score) AS score
WHERE (score < $score OR (score = $score AND account.key > $after)) AND {WANTED}
WITH account, score
ORDER BY score DESC, account.key
LIMIT $first
RETURN {ACCOUNT_ROW} AS account, score
"""


async def accounts_found(
    reader: Reader, text: str, wanted: AccountFilter, after: tuple[float, str] | None, first: int
) -> tuple[tuple[Account, float], ...]:
    """The accounts whose name or domain hold every word of a text, the best first, with their scores. One statement."""
    query = lucene_query(text)
    if not query:
        return ()
    score, last = after or (float("inf"), "")
    rows = await reader.rows(
        ACCOUNTS_FOUND, text=query, most=MOST_HITS, score=score, after=last, first=first, **_parameters(wanted)
    )
    return tuple((account_from(row["account"]), row["score"]) for row in rows)


# account_key (unique)
COUNT_OF_ACCOUNTS = f"""
MATCH (account:Account)
USING INDEX SEEK account:Account(key)
WHERE account.key > ''
WITH account
LIMIT $most
RETURN count(account) AS looked_at, count(CASE WHEN {WANTED} THEN 1 END) AS number
"""


async def count_of_accounts(reader: Reader, wanted: AccountFilter) -> Counted:
    """How many accounts there are among 10,000. One statement."""
    (row,) = await reader.rows(COUNT_OF_ACCOUNTS, most=MOST_COUNTED + 1, **_parameters(wanted))
    return Counted(min(row["number"], MOST_COUNTED), row["looked_at"] > MOST_COUNTED)


def _parameters(wanted: AccountFilter) -> dict[str, object]:
    return {"namespace": wanted.namespace, "domain": wanted.domain, "since": wanted.since}
