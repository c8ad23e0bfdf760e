"""What a batch said in vain: links that were refused, accounts that would be part of themselves, limits passed.

A warning is answered to who sent the message; the message is kept all the same.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from identity.evidence import Heard, Kind, LinkId, Reason
from identity.identifiers import IdentifierKey, namespace_of
from identity.messages import MessageId, Warned
from identity.policy import Policy
from identity.stitching import Cluster

PREVIOUS = ("user_id", "anonymous_id")
WHY_REFUSED = {
    Reason.UNIQUE: "one person would have two values of a unique namespace; an override can say that one replaces it",
    Reason.DIFFERENT: "they stand as different people by a manual act",
    Reason.SIZE: "the person would have more identifiers than the policy allows",
    Reason.LIMIT: "the person would have more identifiers of one namespace than the policy allows",
    Reason.UNVERIFIED: "the policy asks for more authority than this source or key has",
    Reason.GENERIC: "one of them is shared by several people",
}
# The usual slip: a library sends the id of an installation as a user id, which no alias can join then.
INSTALLATION = "if {previous} is the id of an installation or a browser, send it as anonymousId, which joins her"
WHY_CYCLE = "with what is believed more or was said before, it would be part of itself"


@dataclass(frozen=True, slots=True)
class Found:
    """What recording a batch found. verdicts: new and changed ones. cyclic: (child, parent) pairs that were refused.

    clusters: the people looked at; new: the identifiers that were recorded for the first time.
    """

    verdicts: Mapping[LinkId, Reason | None]
    cyclic: Collection[tuple[str, str]]
    clusters: Sequence[Cluster]
    new: Collection[IdentifierKey]


def warnings_of(heard: Sequence[Heard], found: Found, policy: Policy) -> dict[MessageId, tuple[Warned, ...]]:
    """The warnings of each message; one without any has no entry."""
    warned: defaultdict[MessageId, list[Warned]] = defaultdict(list)
    for id_, warning in (*_refused(heard, found), *_cyclic(heard, found), *_over_limit(heard, found, policy)):
        warned[id_].append(warning)
    return {id_: tuple(some) for id_, some in warned.items()}


def _refused(heard: Sequence[Heard], found: Found) -> Iterator[tuple[MessageId, Warned]]:
    """What each message tied together in vain.

    That a shared thing links nobody is no surprise where it is only seen beside others; who declares an alias of one
    is told.
    """
    refused = {
        id_: why for id_, why in found.verdicts.items() if why and (why is not Reason.GENERIC or id_.kind is Kind.ALIAS)
    }
    for each in heard:
        for id_, why in refused.items():
            if _says(each, id_):
                yield each.message.id, _refusal(id_, why)


def _says(heard: Heard, link: LinkId) -> bool:
    """Whether a message states a link: it carries both ends, or one and the other as previousId."""
    values = {each.key for each in heard.identifiers}
    previous = {f"{namespace}:{alias.previous}" for alias in heard.aliases for namespace in PREVIOUS}
    return link.a in values | previous and link.b in values | previous and bool({link.a, link.b} & values)


def _refusal(link: LinkId, why: Reason) -> Warned:
    place = "previousId" if link.kind is Kind.ALIAS else "identifiers"
    sentence = f"{link.a} and {link.b} were not joined: {WHY_REFUSED[why]}"
    return Warned(f"refused_{why.value}", place, f"{sentence}; {fix}" if (fix := _fix(link, why)) else sentence)


def _fix(link: LinkId, why: Reason) -> str | None:
    """What a sender who declared an alias between two user ids may have meant."""
    ends = {namespace_of(link.a), namespace_of(link.b)}
    if link.previous is None or why is not Reason.UNIQUE or ends != {"user_id"}:
        return None
    return INSTALLATION.format(previous=link.previous)


def _cyclic(heard: Sequence[Heard], found: Found) -> Iterator[tuple[MessageId, Warned]]:
    for each in heard:
        account = each.message.account
        if account is not None and (account.key, account.parent) in found.cyclic:
            sentence = f"{account.key} cannot be part of {account.parent}: {WHY_CYCLE}"
            yield each.message.id, Warned("cycle", "account.parent", sentence)


def _over_limit(heard: Sequence[Heard], found: Found, policy: Policy) -> Iterator[tuple[MessageId, Warned]]:
    """New identifiers of people who have more of their namespace than are shown as active.

    Where newer ones take the place of older ones, as with anonymous ids, that is as it should be.
    """
    over = {key: limit for each in found.clusters for key, limit in _beyond(each, found.new, policy)}
    for each in heard:
        for identifier in each.identifiers:
            if identifier.key in over:
                many = f"the person has more than {over[identifier.key]} values of {identifier.namespace}"
                sentence = f"{many}; those beyond the oldest are inactive, and still resolve to her"
                yield each.message.id, Warned("limit_exceeded", "identifiers", sentence)


def _beyond(cluster: Cluster, new: Collection[IdentifierKey], policy: Policy) -> Iterator[tuple[IdentifierKey, int]]:
    fresh = [key for key in cluster.members if key in new]
    counts = Counter(map(namespace_of, cluster.members)) if fresh else Counter[str]()
    for key in fresh:
        rules = policy.namespace(namespace_of(key))
        if rules.active is not None and rules.active_days is None and counts[rules.name] > rules.active:
            yield key, rules.active
