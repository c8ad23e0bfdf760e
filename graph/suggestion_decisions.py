"""Suggestions decided: accepted or dismissed as a manual act, which can be taken back as any other."""

from dataclasses import dataclass
from enum import StrEnum

from graph.audit import Cause, CauseKind, ChangeKind, Entry, log
from graph.conflicts import Conflict
from graph.connection import Reader, Transaction, Writer
from graph.decisions import decide
from graph.memberships import DEFAULT_ROLE
from graph.merging import Answer, Asked, Unchanged, merge_people
from graph.policies import PolicyHeld
from graph.policy_state import refuse_while_applying
from graph.suggestions import affiliation_between, suggestion_between
from identity.evidence import Act, ActId, ActKind, Reason
from identity.identifiers import IdentifierKey
from identity.policy import Policy
from insight.suggestions import Suggestion, merge_rules, override_of

BY_HAND = "manual"


class Outcome(StrEnum):
    """What became of a suggestion."""

    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    NEEDS_OVERRIDE = "needs_override"
    FORBIDDEN = "forbidden"
    REOPENED = "reopened"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a suggestion.

    decision: the id under which it can be taken back; key: the person's identifier; conflict: the rule in the way.
    """

    outcome: Outcome
    sentence: str
    key: IdentifierKey
    decision: str | None = None
    conflict: Conflict | None = None


# identifier_key and account_key (unique); an account that was merged is read as the one it goes by
BELONGS = """
MATCH (i:Identifier {key: $identifier})
USING INDEX SEEK i:Identifier(key)
MATCH (a:Account {key: $account})
USING INDEX SEEK a:Account(key)
MERGE (i)-[m:MEMBER_OF {role: $role, source: $source}]->(a)
ON CREATE SET
  m.from = $now, m.last_seen = $now, m.recorded_at = $now, m.by = $by,
  m.who = i.key, m.of = a.key, m.mint = i.mint
"""

# identifier_key and account_key (unique)
BELONGS_NOT = """
MATCH (i:Identifier {key: $identifier})
USING INDEX SEEK i:Identifier(key)
MATCH (a:Account {key: $account})
USING INDEX SEEK a:Account(key)
MERGE (i)-[m:NOT_MEMBER_OF]->(a)
ON CREATE SET m.at = $now, m.recorded_at = $now, m.by = $by
"""

# identifier_key (unique), then the accounts of each
BELONGS_AS_BEFORE = """
MATCH (i:Identifier {key: $identifier})
USING INDEX SEEK i:Identifier(key)
MATCH (i)-[m:MEMBER_OF|NOT_MEMBER_OF]->(a:Account)
WHERE a.key = $account AND (m:NOT_MEMBER_OF OR m.source = $source)
DELETE m
RETURN count(m) AS many
"""

UNDECIDED = "nothing was decided by hand about the two"
NO_MORE = "nothing of this kind is suggested of the two any more: they are one, must not be, or somebody has decided"


async def settle_people(
    reader: Reader,
    writer: Writer,
    pair: tuple[IdentifierKey, IdentifierKey],
    asked: Asked,
    held: PolicyHeld,
    *,
    accept: bool,
    override: bool = False,
) -> Settled:
    """Accept that two identifiers are one person's, or dismiss it; nothing where it is not suggested any more.

    override: where both have a value of a unique namespace, that of the older profile replaces the other.
    """
    rules = merge_rules(held.policy)
    open_ = await suggestion_between(reader, *pair, rules)
    if open_ is None:
        return Settled(Outcome.GONE, NO_MORE, pair[0])
    if accept:
        answer = await merge_people(writer, open_.leaving, open_.staying, asked, held, override=override)
        return _accepted(open_, answer)
    id_ = ActId(asked.mint())
    act = Act(id_, ActKind.DIFFERENT, open_.a, open_.b, asked.now, asked.by, decision=id_, note=asked.note)
    decided = await decide(writer, [act], held, asked.now)
    sentence = settled_sentence(Outcome.DISMISSED, open_.a, open_.b, people=True)
    return Settled(Outcome.DISMISSED, sentence, open_.a, decided.decision)


def settled_sentence(outcome: Outcome, a: str, b: str, *, people: bool) -> str:
    """What became of a suggestion in plain English. people: whether it is of two, else b is an account."""
    if people:
        now = "are one person now" if outcome is Outcome.ACCEPTED else "stand as different people now"
        return f"{a} and {b} {now}"
    if outcome is Outcome.ACCEPTED:
        return f"the person of {a} belongs to {b} now"
    if outcome is Outcome.DISMISSED:
        return f"it stands that the person of {a} does not belong to {b}"
    return f"nobody has decided whether the person of {a} belongs to {b}"


def _accepted(suggestion: Suggestion, answer: Answer) -> Settled:
    match answer:
        case Conflict(Reason.UNIQUE, values, breaks=()):
            return Settled(Outcome.NEEDS_OVERRIDE, override_of(values), suggestion.a, conflict=answer)
        case Conflict():
            sentence = f"a rule forbids that {suggestion.a} and {suggestion.b} are one person"
            return Settled(Outcome.FORBIDDEN, sentence, suggestion.a, conflict=answer)
        case Unchanged():
            return Settled(Outcome.GONE, NO_MORE, suggestion.a)
    sentence = settled_sentence(Outcome.ACCEPTED, suggestion.a, suggestion.b, people=True)
    return Settled(Outcome.ACCEPTED, sentence, suggestion.a, answer.decision)


async def settle_membership(
    reader: Reader,
    writer: Writer,
    pair: tuple[IdentifierKey, str],
    asked: Asked,
    policy: Policy,
    *,
    accept: bool,
) -> Settled:
    """Accept that the person of an address belongs to an account, or dismiss it; it hangs on the address."""
    rules = merge_rules(policy)
    address, account = pair
    if await affiliation_between(reader, address, account, rules) is None:
        return Settled(Outcome.GONE, NO_MORE, address)
    await writer.write(_write_membership, address, account, asked, accept=accept)
    outcome = Outcome.ACCEPTED if accept else Outcome.DISMISSED
    return Settled(outcome, settled_sentence(outcome, address, account, people=False), address)


async def reopen_membership(writer: Writer, pair: tuple[IdentifierKey, str], asked: Asked) -> Settled:
    """Take back what was decided by hand of an address and an account: then nobody has. Twice is once."""
    address, account = pair
    if not await writer.write(_take_back_membership, address, account, asked):
        return Settled(Outcome.GONE, UNDECIDED, address)
    sentence = settled_sentence(Outcome.REOPENED, address, account, people=False)
    return Settled(Outcome.REOPENED, sentence, address)


async def _take_back_membership(tx: Transaction, address: IdentifierKey, account: str, asked: Asked) -> bool:
    await refuse_while_applying(tx)
    (row,) = await tx.rows(BELONGS_AS_BEFORE, identifier=address, account=account, source=BY_HAND)
    if row["many"]:
        cause = Cause(CauseKind.DECISION, asked.by, note=asked.note)
        await log(tx, Entry(ChangeKind.MEMBERSHIP_REOPENED, cause, {}, ends=[address]), asked.now)
    return bool(row["many"])


async def _write_membership(
    tx: Transaction, address: IdentifierKey, account: str, asked: Asked, *, accept: bool
) -> None:
    await refuse_while_applying(tx)
    facts = {"identifier": address, "account": account, "now": asked.now, "by": asked.by}
    if accept:
        await tx.rows(BELONGS, **facts, role=DEFAULT_ROLE, source=BY_HAND)
    else:
        await tx.rows(BELONGS_NOT, **facts)
    kind = ChangeKind.MEMBERSHIP_ACCEPTED if accept else ChangeKind.MEMBERSHIP_DISMISSED
    await log(tx, Entry(kind, Cause(CauseKind.DECISION, asked.by, note=asked.note), {}, ends=[address]), asked.now)
