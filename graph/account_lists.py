"""Lists of accounts: by key, by when they were last seen, or the best hits of a text. Merged ones are one.

A page stops after 10,000 accounts that it passed over: then it may be short, and says where the next one goes on.
"""

from dataclasses import dataclass
from enum import Enum

from graph.accounts import ACCOUNT_ROW, Account, account_from
from graph.connection import Reader
from graph.counting import MOST_COUNTED, Counted
from graph.searching import MOST_HITS, lucene_query

LATEST, LAST = 2**62, "\U0010ffff"
LOOKED_AT = 10_000


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


def _page_of(walk: str) -> str:
    return f"""{walk}LIMIT $looked_at
WITH account
WHERE {WANTED}
WITH account
LIMIT $first
RETURN {ACCOUNT_ROW} AS account, account.last_seen AS at
"""


def _end_of(walk: str) -> str:
    """Where a page stopped that passed over as many as are looked at."""
    return f"""{walk}SKIP $looked_at - 1
LIMIT 1
RETURN account.last_seen AS at, account.key AS key
"""


_by_key = """
MATCH (account:Account)
USING INDEX SEEK account:Account(key)
WHERE account.key > $after AND account.key < $until
WITH account
ORDER BY account.key
"""
_of_domain = """
MATCH (account:Account)
USING INDEX SEEK account:Account(mail_domain, key)
WHERE account.mail_domain = $domain AND account.key > $after
WITH account
ORDER BY account.mail_domain, account.key
"""
_latest = """
MATCH (account:Account)
USING INDEX SEEK account:Account(last_seen, key)
WHERE account.last_seen >= $seen AND account.last_seen <= $at AND account.key IS NOT NULL
  AND CASE WHEN account.last_seen = $at THEN account.key < $after ELSE true END
WITH account
ORDER BY account.last_seen DESC, account.key DESC
"""

# account_key (unique), in its order
ACCOUNTS_BY_KEYS_ORDER = _page_of(_by_key)
# account_key (unique)
END_BY_KEYS_ORDER = _end_of(_by_key)

# account_mail_domain (mail_domain, key), in its order
ACCOUNTS_OF_DOMAIN = _page_of(_of_domain)
# account_mail_domain (mail_domain, key)
END_OF_DOMAIN = _end_of(_of_domain)

# account_last_seen (last_seen, key), in its order
ACCOUNTS_LATEST = _page_of(_latest)
# account_last_seen (last_seen, key)
END_LATEST = _end_of(_latest)

# The place of an account in a list: the moment in µs where the order has one, else 0, and its key.
Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Accounts in their order, with their places. end: where to go on, where the page stopped before it was full."""

    found: tuple[tuple[Account, Place], ...]
    end: Place | None = None


async def accounts_page(
    reader: Reader, wanted: AccountFilter, order: AccountOrder, after: Place | None, first: int
) -> AccountPage:
    """Accounts after a place, at most `first`. One statement; two for a page that is short.

    Cost: the page, and the accounts passed over until it is full, 10,000 at most: a namespace, and in the order of keys
    a domain, in the order of when they were last seen `since`, are sought in an index and pass over none.
    """
    statement, ending = _walk(wanted, order)
    parameters = {**_parameters(wanted), **_bounds(wanted, order, after), "looked_at": LOOKED_AT}
    rows = await reader.rows(statement, first=first, **parameters)
    is_by_key = order is AccountOrder.KEY
    found = tuple(
        (each, (0 if is_by_key else row["at"], each.key)) for row in rows for each in [account_from(row["account"])]
    )
    if len(found) == first:
        return AccountPage(found)
    stopped = await reader.rows(ending, **parameters)
    return AccountPage(found, (0 if is_by_key else stopped[0]["at"], stopped[0]["key"]) if stopped else None)


def _walk(wanted: AccountFilter, order: AccountOrder) -> tuple[str, str]:
    if order is AccountOrder.LAST_SEEN:
        return ACCOUNTS_LATEST, END_LATEST
    return (ACCOUNTS_BY_KEYS_ORDER, END_BY_KEYS_ORDER) if wanted.domain is None else (ACCOUNTS_OF_DOMAIN, END_OF_DOMAIN)


def _bounds(wanted: AccountFilter, order: AccountOrder, after: Place | None) -> dict[str, object]:
    """From where to where an index is walked. Keys are `namespace:value`, and a semicolon follows a colon."""
    if order is AccountOrder.LAST_SEEN:
        at, last = after or (LATEST, LAST)
        return {"at": at, "after": last, "seen": -LATEST if wanted.since is None else wanted.since}
    _, last = after or (0, "")
    if wanted.namespace is None:
        return {"after": last, "until": LAST}
    return {"after": max(last, f"{wanted.namespace}:"), "until": f"{wanted.namespace};"}


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
