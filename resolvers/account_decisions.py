"""Decisions about accounts: two are one organisation, or are not after all."""

from dataclasses import replace
from typing import Annotated

import strawberry

from graph.account_decisions import Decided as AccountsDecided
from graph.account_decisions import Organisation, Outcome, decide_accounts
from graph.connection import Transaction
from identity.accounts import AccountAct
from resolvers.accounts import AccountLookup, AccountName, account_key
from resolvers.asking import Asking, Info
from resolvers.decisions import Note, asked_by
from resolvers.nodes import resolved, stands_for
from resolvers.once import DryRun, IdempotencyKey, Memory, Wanted, done
from resolvers.problems import (
    IdempotencyConflict,
    Invalid,
    Kind,
    NotFound,
    NothingToDo,
    RuleConflict,
    TooLarge,
    Trouble,
)
from resolvers.world import World


def _head(parent: strawberry.Parent[Organisation]) -> str:
    return parent.accounts[0]


@strawberry.type(name="Organisation", description="Accounts that are one, and what they have together.")
class OrganisationShown:
    """Accounts that are one, and what they have together."""

    name: AccountName = resolved(_head, "The account under whose name they go.")
    accounts: list[AccountName] = strawberry.field(description="All of them, that one first.")
    members: int = strawberry.field(description="How many people belong to any of them.")
    deals: int = strawberry.field(description="How many deals any of them has.")


@strawberry.type(name="AccountsDecided", description="What a decision about accounts gives, or would give.")
class AccountsDecidedShown:
    """What a decision about accounts gives, or would give."""

    organisations: list[OrganisationShown] = strawberry.field(
        description="The organisations that the two accounts are then; with `dryRun` would be."
    )

    is_type_of = stands_for(AccountsDecided)


AccountAnswer = Annotated[
    AccountsDecidedShown | RuleConflict | TooLarge | NotFound | Invalid | NothingToDo | IdempotencyConflict,
    strawberry.union(name="AccountAnswer", description="What became of a decision about accounts."),
]
NOT_DONE = {
    Outcome.ALREADY: Trouble(Kind.NOTHING_TO_DO, "already", "they are one organisation already"),
    Outcome.NOT_MERGED: Trouble(
        Kind.NOTHING_TO_DO, "not_merged", "they are not merged, so there is nothing to take back"
    ),
    Outcome.DIFFERENT: Trouble(
        Kind.RULE_CONFLICT, "different", "accounts of the two stand as different; merge those two first"
    ),
    Outcome.UNKNOWN: Trouble(Kind.NOT_FOUND, "unknown_account", "nothing is known of one of the two"),
}
One = Annotated[AccountLookup, strawberry.argument(description="The account that loses its name, or gets it back.")]
Other = Annotated[AccountLookup, strawberry.argument(description="The account under whose name both go.")]


async def merge_accounts(
    info: Info,
    account: One,
    into: Other,
    note: Note = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> AccountsDecided | Trouble:
    """Merge two accounts."""
    wanted = Wanted("mergeAccounts", (account, into, note), idempotency_key, dry_run)
    return await _answer(info.context, wanted, account, into, note, same=True)


async def unmerge_accounts(
    info: Info,
    account: One,
    into: Other,
    note: Note = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> AccountsDecided | Trouble:
    """Part two accounts that were merged."""
    wanted = Wanted("unmergeAccounts", (account, into, note), idempotency_key, dry_run)
    return await _answer(info.context, wanted, account, into, note, same=False)


async def _answer(
    context: Asking, wanted: Wanted, account: AccountLookup, into: AccountLookup, note: str | None, *, same: bool
) -> AccountsDecided | Trouble:
    async def work(world: World) -> AccountsDecided | Trouble:
        act = _act(context, account, into, note, same=same)
        decided = await decide_accounts(world.writer, act, context.micros)
        return NOT_DONE.get(decided.outcome, decided)

    async def again(_: Asking, __: str) -> AccountsDecided | Trouble:
        """The organisations as they are now: to try the same anew tells them."""
        act = _act(context, account, into, note, same=same)
        now = await decide_accounts(context.world.writer, act, context.micros, dry_run=True)
        return replace(now, outcome=Outcome.DONE)

    return await done(context, wanted, work, Memory(_remembered, again))


async def _remembered(_: Transaction, decided: AccountsDecided) -> str | None:
    return decided.outcome.value if decided.outcome is Outcome.DONE else None


def _act(context: Asking, account: AccountLookup, into: AccountLookup, note: str | None, *, same: bool) -> AccountAct:
    ends, asked = (account_key(account), account_key(into)), asked_by(context, note)
    return AccountAct(asked.mint(), same, *ends, asked.now, asked.by, asked.note or "")
