"""The whole hierarchy around an account: from what all of it is part of, down to the smallest part."""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.accounts import Account, After, accounts_by_key, children_of, parents_of
from graph.connection import Reader

DEEPEST = 10  # levels up to the root, and down from it
MOST_IN_TREE = 500


@dataclass(frozen=True, slots=True)
class Branch:
    """An account in a tree. parent: the key of the account above it; None of the root. level: 0 is the root's."""

    account: Account
    parent: str | None
    level: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A hierarchy: level by level, in each by the account above and by key. complete: whether that is all of it."""

    branches: tuple[Branch, ...]
    complete: bool


async def trees_of(reader: Reader, keys: Sequence[str]) -> dict[str, Tree]:
    """The tree that each account stands in; an unknown key has no entry.

    Of several accounts that one is part of the first known counts upwards; downwards each account comes once, where it
    is met first. At most 500 accounts, ten levels up and ten down. One statement for each level, for all trees at once.
    """
    accounts = await accounts_by_key(reader, keys)
    roots = await _roots(reader, accounts)
    growing = {root.key: _Growing(root) for root in roots.values()}
    for level in range(1, DEEPEST + 2):
        if not (asked := [After(key) for each in growing.values() for key in each.edge]):
            break
        found = await children_of(reader, asked, MOST_IN_TREE)
        for each in growing.values():
            each.grow({key: found.get(After(key), ()) for key in each.edge}, level)
    return {key: growing[root.key].tree for key, root in roots.items()}


async def _roots(reader: Reader, accounts: dict[str, Account]) -> dict[str, Account]:
    tops = dict(accounts)
    for _ in range(DEEPEST):
        parents = await parents_of(reader, sorted({each.key for each in tops.values()}))
        if not parents:
            break
        tops = {key: parents.get(top.key, top) for key, top in tops.items()}
    return tops


class _Growing:
    """A tree while it is read. edge: the keys of its lowest level."""

    def __init__(self, root: Account) -> None:
        self.branches = {root.key: Branch(root, None, 0)}
        self.edge = [root.key]
        self.complete = True

    def grow(self, children: dict[str, tuple[Account, ...]], level: int) -> None:
        """Take in one level, as far as there is room."""
        fresh: dict[str, Branch] = {}
        for above, below in children.items():
            for child in below:
                if child.key not in self.branches:
                    fresh.setdefault(child.key, Branch(child, above, level))
        room = MOST_IN_TREE - len(self.branches) if level <= DEEPEST else 0
        self.complete = self.complete and len(fresh) <= room
        self.edge = list(fresh)[:room]
        self.branches.update({key: fresh[key] for key in self.edge})

    @property
    def tree(self) -> Tree:
        """What has grown."""
        return Tree(tuple(self.branches.values()), self.complete)
