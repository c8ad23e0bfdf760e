"""What became of decisions by hand, for a person or as JSON: the people they leave, the links that changed sides."""

import json

from rich.table import Table

from graph.conflicts import Conflict
from graph.decisions import Outcome
from graph.merging import Tried, Unchanged
from graph.people import Person
from identity.evidence import LinkId, Reason
from insight.refusals import sentence_of_limit
from selfsame.cli.exits import shown
from selfsame.errors import InputInvalidError

SHOWN_IDENTIFIERS = 100
Told = Tried | InputInvalidError


def show(answer: Outcome) -> None:
    """Print the people that a decision leaves, and the links that it turns."""
    table = Table("profile", "identifiers", "traits", "interactions")
    for each in answer.after:
        keys = [*each.identifiers[:SHOWN_IDENTIFIERS]]
        more = [f"and {len(each.identifiers) - len(keys):,} more"] if len(each.identifiers) > len(keys) else []
        traits = "\n".join(f"{name}: {value}" for name, value in each.traits.items() if value is not None)
        table.add_row(each.id, "\n".join([*keys, *more]), traits, f"{each.interactions:,}")
    shown.print(table)
    for link, why in answer.refused.items():
        print(f"refused from now on: {_ends(link)}: {why.value}")
    for link in answer.accepted:
        print(f"accepted from now on: {_ends(link)}")


def _ends(link: LinkId) -> str:
    return f"{link.a} - {link.b} ({link.kind.word})"


def json_line(place: str, answer: Told) -> str:
    """An answer as one line of JSON. place: of its row, empty for the only one."""
    facts = _facts(answer) if isinstance(answer, Outcome) else {"decided": False, "why": why_not(answer)}
    return json.dumps({"row": place, **facts} if place else facts)


def _facts(answer: Outcome) -> dict[str, object]:
    return {
        "decided": True,
        "decision": answer.decision,
        "before": {id_: list(keys) for id_, keys in answer.before.items()},
        "after": [_person(each) for each in answer.after],
        "refused": [{**_link(link), "reason": why.value} for link, why in answer.refused.items()],
        "accepted": [_link(link) for link in answer.accepted],
    }


def _person(each: Person) -> dict[str, object]:
    return {
        "id": each.id,
        "identifiers": list(each.identifiers),
        "traits": {name: value for name, value in each.traits.items() if value is not None},
        "interactions": each.interactions,
    }


def _link(link: LinkId) -> dict[str, object]:
    return {"a": link.a, "b": link.b, "kind": link.kind.word}


def why_not(answer: Told) -> str:
    """Why nothing was decided, as a sentence."""
    if isinstance(answer, Conflict):
        return _forbidden(answer)
    return answer.sentence if isinstance(answer, Unchanged) else str(answer)


def _forbidden(answer: Conflict) -> str:
    if answer.breaks:
        return f"it would take apart who is one person: {', '.join(answer.breaks[:SHOWN_IDENTIFIERS])}"
    pairs = answer.apart if answer.reason is Reason.DIFFERENT else answer.values
    ends = "; ".join(f"{a} and {b}" for a, b in pairs)
    return _by_rule(answer, ends)


def _by_rule(answer: Conflict, ends: str) -> str:
    match answer.reason:
        case Reason.UNIQUE:
            return f"one person would have two values of one kind: {ends}; --override lets the second replace the first"
        case Reason.DIFFERENT:
            return f"somebody decided that they are different: {ends}; take that decision back first"
        case Reason.GENERIC:
            return "one of the two identifiers is shared by several people; name identifiers of theirs alone"
        case Reason.LIMIT:
            return ", and ".join(map(sentence_of_limit, answer.limits))
        case Reason.SIZE:
            return "the person would have more identifiers than the policy allows"
        case Reason.UNVERIFIED:  # never of what is decided by hand
            return "the policy asks for more authority"
