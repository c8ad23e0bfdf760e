"""Decisions about accounts: two are one organisation, or are not after all."""

from enum import Enum
from typing import Annotated

import strawberry

from graph.account_decisions import Decided as AccountsDecided
from graph.account_decisions import Organisation, Outcome, decide_accounts
from identity.accounts import AccountAct
from resolvers.accounts import AccountLookup, AccountName, account_key
from resolvers.asking import Asking, Info
from resolvers.decisions import Note, asked_by
from resolvers.nodes import resolved


@strawberry.enum(description="What became of a decision about accounts.")
class AccountOutcome(Enum):
    """What became of a decision about accounts."""

    DONE = strawberry.enum_value("done", description="It is done, or with `dryRun` would be.")
    ALREADY = strawberry.enum_value("already", description="They are one organisation already; nothing is written.")
    NOT_MERGED = strawberry.enum_value("not_merged", description="They are not merged; nothing is written.")
    DIFFERENT = strawberry.enum_value(
        "different", description="Accounts of the two were said to be different; merge those first."
    )
    UNKNOWN = strawberry.enum_value("unknown", description="Nothing is known of one of them; nothing is written.")


def _head(parent: strawberry.Parent[Organisation]) -> str:
    return parent.accounts[0]


@strawberry.type(name="Organisation", description="Accounts that are one, and what they have together.")
class OrganisationShown:
    """Accounts that are one, and what they have together."""

    name: AccountName = resolved(_head, "The account under whose name they go.")
    accounts: list[AccountName] = strawberry.field(description="All of them, that one first.")
    members: int = strawberry.field(description="How many people belong to any of them.")
    deals: int = strawberry.field(description="How many deals any of them has.")


SENTENCES = {
    Outcome.DONE: "it is done",
    Outcome.ALREADY: "they are one organisation already",
    Outcome.NOT_MERGED: "they are not merged, so there is nothing to take back",
    Outcome.DIFFERENT: "accounts of the two stand as different; merge those two first",
    Outcome.UNKNOWN: "nothing is known of one of the two",
}


def _sentence(parent: strawberry.Parent[AccountsDecided]) -> str:
    return SENTENCES[parent.outcome]


@strawberry.type(description="What became of a decision about accounts.")
class AccountDecision:
    """What became of a decision about accounts."""

    outcome: AccountOutcome = strawberry.field(description="What became of it.")
    sentence: str = strawberry.field(resolver=_sentence, description="The same in plain English.")
    organisations: list[OrganisationShown] = strawberry.field(
        description="The organisations that the two accounts are then; with `dryRun` would be."
    )


DryRun = Annotated[bool, strawberry.argument(description="Only say what would be; nothing is written.")]
One = Annotated[AccountLookup, strawberry.argument(description="The account that loses its name, or gets it back.")]
Other = Annotated[AccountLookup, strawberry.argument(description="The account under whose name both go.")]


async def merge_accounts(
    info: Info, account: One, into: Other, note: Note = None, dry_run: DryRun = False
) -> AccountsDecided:
    """Merge two accounts."""
    return await _decided(info.context, _act(info.context, account, into, note, same=True), dry_run=dry_run)


async def unmerge_accounts(
    info: Info, account: One, into: Other, note: Note = None, dry_run: DryRun = False
) -> AccountsDecided:
    """Part two accounts that were merged."""
    return await _decided(info.context, _act(info.context, account, into, note, same=False), dry_run=dry_run)


def _act(context: Asking, account: AccountLookup, into: AccountLookup, note: str | None, *, same: bool) -> AccountAct:
    ends, asked = (account_key(account), account_key(into)), asked_by(context, note)
    return AccountAct(asked.mint(), same, *ends, asked.now, asked.by, asked.note or "")


async def _decided(context: Asking, act: AccountAct, *, dry_run: bool) -> AccountsDecided:
    return await decide_accounts(context.world.writer, act, context.micros, dry_run=dry_run)
