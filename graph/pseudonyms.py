"""Accounts, orders and other things whose keys tell an erased value go on under a pseudonym.

Wherever such a key stands it is the same pseudonym, made with the key of the erasures, so that what belongs together
stays together. A hash of the old key stays, too: whoever names the account or the order by it later means this one.
"""

from collections.abc import Iterable, Mapping, Sequence

from graph.connection import Row, Transaction
from graph.memberships import judge_around
from identity.erasure import Hashing, Scrub
from identity.messages import Json

# By label: the properties that hold the key of an account or a thing.
NAMED = {
    "Account": ("key",),
    "AccountAct": ("account", "into"),
    **dict.fromkeys(("Order", "Deal", "Ticket", "Campaign", "Product"), ("key", "account")),
}

# erased_name_hash (unique), in the order of hashes
KEEP_NAMES = """
UNWIND $hashes AS hash
MERGE (:ErasedName {hash: hash})
"""


def names_told(label: str, facts: Row, scrub: Scrub) -> dict[str, str]:
    """The keys in a record of a label that tell an erased value, by their properties."""
    held = {name: facts.get(name) for name in NAMED.get(label, ())}
    return {name: key for name, key in held.items() if key and scrub.told_by(key)}


def names_told_by_account(said: Json, scrub: Scrub) -> dict[str, str]:
    """The same in what an interaction keeps of an account."""
    held = {name: said.get(name) for name in ("key", "parent")} if isinstance(said, dict) else {}
    return {name: key for name, key in held.items() if isinstance(key, str) and scrub.told_by(key)}


def pseudonyms(told: Mapping[str, str], taken: Iterable[str], hashing: Hashing) -> dict[str, str]:
    """What stands instead of keys, by their properties. taken: keys that others of the label have."""
    others = set(taken)
    after = {name: hashing.pseudonym(key) for name, key in told.items()}
    while after.get("key") in others:
        after["key"] = hashing.pseudonym(after["key"])
    return after


async def keep_names(tx: Transaction, names: Iterable[str], hashing: Hashing) -> None:
    """Know these keys again: whoever names one of them means what has its pseudonym now."""
    hashes = sorted(set(map(hashing.of_name, names)))
    if hashes:
        await tx.rows(KEEP_NAMES, hashes=hashes)


# account_key (unique), then the memberships of each
FIND_MEMBERS_AGAIN = """
UNWIND $keys AS key
MATCH (a:Account {key: key})
USING INDEX SEEK a:Account(key)
MATCH (:Identifier)-[m:MEMBER_OF]->(a)
SET m.of = a.key
"""


async def judge_renamed(tx: Transaction, label: str, keys: Sequence[str], now: int) -> None:
    """Find the people of renamed accounts by their new keys, and judge the hierarchies of these accounts anew.

    Of statements that are equal else the order of keys decides. now: µs.
    """
    if label == "Account" and keys:
        await tx.rows(FIND_MEMBERS_AGAIN, keys=list(keys))
        await judge_around(tx, keys, now)
