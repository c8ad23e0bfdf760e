"""A message that carries the erased beside somebody else, without them and without whatever else tells their values.

What an account or an order is called can tell a value, too. Those that were known at the erasure go on under a
pseudonym, and so they do in what comes later; a new one that is named after the erased is not recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from identity.erasure import Hashing, Scrub
from identity.identifiers import IdentifierKey
from identity.messages import About, AccountStatement, Json, Message, Sighting, Warned
from identity.policy import Policy

NONE: Mapping[str, str] = {}


def names_in(message: Message) -> frozenset[str]:
    """The keys of the accounts and things that a message names."""
    said = [name for each in message.about for name in (each.key, each.account)]
    if message.account is not None:
        said += [message.account.key, message.account.parent]
    return frozenset(name for name in said if name)


def stripped(
    message: Message, erased: frozenset[IdentifierKey], policy: Policy, called: Mapping[str, str] = NONE
) -> Message:
    """A message without some of its identifiers and whatever else in it has their values.

    called: what accounts and things are called now whose keys told erased values. What is said of the person may be
    said anew, so only what is said of the matter loses these keys. Of others that are named after the erased the
    message says nothing.
    """
    known = frozenset(IdentifierKey(name) for name in names_in(message) if name in called)
    scrub = Scrub(erased, policy, message.region)
    of_matter = replace(scrub, keys=erased | known)
    naming = _Naming(replace(scrub, region=None).telling(), called, of_matter)
    previous = message.previous_id
    return replace(
        message,
        sightings=tuple(each for each in message.sightings if not _seen(each, scrub)),
        name=of_matter.text(message.name) if message.name else message.name,
        previous_id=None if previous is not None and _means_erased(previous, scrub) else previous,
        traits=_mapping(message.traits, scrub),
        properties=_mapping(message.properties, of_matter),
        context=_mapping(message.context, of_matter),
        account=naming.account(message.account),
        about=naming.things(message.about),
        warnings=tuple(Warned(each.code, each.place, scrub.text(each.sentence)) for each in message.warnings),
    )


def renamed(message: Message, erased: frozenset[IdentifierKey], policy: Policy, hashing: Hashing) -> Message:
    """A message under an id that tells none of these, as `Hashing.renamed` has it."""
    id_ = hashing.renamed(message.id, Scrub(erased, policy))
    return replace(message, message_id=id_[len(message.source) + 1 :])


@dataclass(frozen=True, slots=True)
class _Naming:
    """What accounts and things are called in a message that is stripped. telling: what no key may tell.

    scrub: what nothing may tell that is said of them.
    """

    telling: Scrub
    called: Mapping[str, str]
    scrub: Scrub

    def name(self, name: str | None) -> str | None:
        """Its key now; None for one that is named after the erased, and not known otherwise."""
        if name is None or (name not in self.called and self.telling.told_by(name)):
            return None
        return self.called.get(name, name)

    def account(self, said: AccountStatement | None) -> AccountStatement | None:
        key = self.name(said.key) if said is not None else None
        if said is None or key is None:
            return None
        role, traits = self.telling.text(said.role) if said.role else said.role, _mapping(said.traits, self.scrub)
        return replace(said, key=key, parent=self.name(said.parent), role=role, traits=traits)

    def things(self, about: Sequence[About]) -> tuple[About, ...]:
        named = ((each, self.name(each.key)) for each in about)
        return tuple(
            replace(each, key=key, account=self.name(each.account), facts=_mapping(each.facts, self.scrub))
            for each, key in named
            if key is not None
        )


def _seen(sighting: Sighting, scrub: Scrub) -> bool:
    return scrub.names(sighting.namespace, sighting.value)


def _means_erased(previous: str, scrub: Scrub) -> bool:
    return scrub.names("user_id", previous) or scrub.names("anonymous_id", previous)


def _mapping(value: Mapping[str, Json], scrub: Scrub) -> Mapping[str, Json]:
    read = scrub.json(dict(value))
    return read if isinstance(read, dict) else {}
