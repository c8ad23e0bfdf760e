"""What contradicts itself in a policy whose every single value is right.

Each check is about a mistake that somebody can make without noticing: the policy would be read, and would then not do
what its author believes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from identity.messages import Authority
from identity.policy import KINDS, NAMESPACE_PATTERN, Namespace, Normaliser, OverActive, Policy, Role, Shared, matching
from identity.policy_shape import Found
from identity.survivorship import MANUAL

# What each normaliser lets through, so different that a pattern which fits all of them fits everything.
SAMPLES: Mapping[Normaliser, tuple[str, ...]] = {
    Normaliser.TEXT: ("a", "4711", "9f1c2e-user", "ümlaut value"),
    Normaliser.EMAIL: ("a@b.co", "someone.else@mail.example.org"),
    Normaliser.EMAIL_FOLDED: ("a@b.co", "someone.else@mail.example.org"),
    Normaliser.PHONE: ("+491712345678", "+12025550123"),
    Normaliser.SHA256: ("0" * 64, "f" * 64),
}
BUILT_IN: Mapping[str, Role] = {
    "user_id": Role.CONTACT,
    "email": Role.CONTACT_POINT,
    "email_sha256": Role.CONTACT_POINT,
    "phone": Role.CONTACT_POINT,
    "anonymous_id": Role.DEVICE,
    "device_id": Role.DEVICE,
    "advertising_id": Role.DEVICE,
    "push_token": Role.DEVICE,
}


def contradictions(policy: Policy) -> Iterator[Found]:
    """All contradictions, in no order."""
    for rules in policy.namespaces.values():
        yield from _of_namespace(rules, policy)
    yield from _generic_for_nothing(policy)
    yield from _too_strong(policy)
    yield from _of_kinds(policy)
    yield from _of_limits(policy)
    yield from _of_blocked(policy)
    yield from _of_traits(policy)
    yield from _of_lists(policy)


def _of_namespace(rules: Namespace, policy: Policy) -> Iterator[Found]:
    path = ("namespaces", rules.name)
    if not NAMESPACE_PATTERN.match(rules.name):
        yield Found(path, f"`{rules.name}` must match [a-z][a-z0-9_.]{{0,63}}")
    meant = BUILT_IN.get(rules.name)
    if meant is not None and rules.role is not meant:
        yield Found(
            (*path, "role"),
            f"{rules.name} is a {meant.value} wherever messages carry it; it cannot be a {rules.role.value}",
        )
    if rules.unique and rules.role is Role.DEVICE:
        yield Found((*path, "unique"), "a person has several devices; a unique device would part each from the next")
    if rules.unique and rules.active is not None:
        yield Found((*path, "active"), "a profile has one value of a unique namespace, so there is nothing to limit")
    if rules.active_days is not None and rules.active is None:
        yield Found(
            (*path, "active_days"), "says of which days the active ones are, but `active` does not say how many"
        )
    yield from _of_generic(rules, path)
    yield from _of_over_active(rules, path, policy)


def _of_generic(rules: Namespace, path: tuple[str, str]) -> Iterator[Found]:
    if rules.max_partners is not None and rules.generic_above is not None and rules.generic_above >= rules.max_partners:
        yield Found(
            (*path, "generic_above"),
            f"is never reached: with more than {rules.max_partners} partners (max_partners) it is generic already",
        )
    if rules.shared is Shared.BY_TIME and rules.role is not Role.CONTACT_POINT:
        where = "[devices] rule says it for devices" if rules.role is Role.DEVICE else "a contact names one person"
        yield Found((*path, "shared"), f"is for contact points; {where}")
    elif rules.shared is Shared.BY_TIME and rules.max_partners is None and rules.generic_above is None:
        yield Found((*path, "shared"), "it is never shared, since generic_above and max_partners are both 0")


def _of_over_active(rules: Namespace, path: tuple[str, str], policy: Policy) -> Iterator[Found]:
    if rules.active is not None and rules.active > policy.profile_limit:
        yield Found((*path, "active"), f"is never reached: a profile has {policy.profile_limit} identifiers at most")
    if rules.over_active is OverActive.APART and rules.active is None:
        yield Found((*path, "over_active"), "keeps apart what is over `active`, but `active` is no limit")
    if rules.over_active is OverActive.APART and rules.active_days is not None:
        yield Found((*path, "over_active"), "whom a link joins cannot turn on the day; leave out `active_days`")


def _generic_for_nothing(policy: Policy) -> Iterator[Found]:
    """A threshold of its own for values of unique namespaces, where no namespace is unique."""
    for rules in () if policy.unique else policy.namespaces.values():
        if (rules.generic_above or 0) > 1:
            path = ("namespaces", rules.name, "generic_above")
            yield Found(path, "counts values of unique namespaces, but no namespace is unique")


def _too_strong(policy: Policy) -> Iterator[Found]:
    """Devices whose links would come before those of people."""
    contacts = [each for each in policy.namespaces.values() if each.role is Role.CONTACT]
    for rules in policy.namespaces.values():
        weaker = [each for each in contacts if rules.role is Role.DEVICE and each.priority > rules.priority]
        if weaker:
            names = ", ".join(f"{each.name} ({each.priority})" for each in weaker)
            reason = f"a device ({rules.priority}) would be stronger than the contact {names}; 0 is strongest"
            yield Found(("namespaces", rules.name, "priority"), reason)


def _of_kinds(policy: Policy) -> Iterator[Found]:
    if not any(policy.kind(word).links for word in KINDS):
        yield Found(("kinds",), "no kind of statement links, so nobody would ever be joined")
    for word in KINDS:
        rules = policy.kind(word)
        if not rules.links and rules.minimum_authority > Authority.CLAIMED:
            yield Found(("kinds", word, "minimum_authority"), f"{word} links nothing, whatever its authority")
    alias = policy.kind("alias")
    if alias.overrides_from is None:
        return
    path = ("kinds", "alias", "overrides_from")
    if not alias.links:
        yield Found(path, "an alias links nothing, so it overrides nothing")
    elif alias.overrides_from < alias.minimum_authority:
        yield Found(path, "an alias of that authority does not even link; see minimum_authority")
    if not policy.namespace("user_id").unique:
        yield Found(path, "user_id is not unique, so there is nothing to override")


def _of_limits(policy: Policy) -> Iterator[Found]:
    if policy.region_limit < policy.profile_limit:
        reason = f"one profile may have more identifiers ({policy.profile_limit}) than are stitched at once"
        yield Found(("limits", "region_identifiers"), reason)


def _of_blocked(policy: Policy) -> Iterator[Found]:
    for pattern in policy.blocked_patterns:
        hit = sorted(each.name for each in policy.namespaces.values() if _blocks_all(pattern, each.normaliser))
        if _blocks_all(pattern, Normaliser.TEXT):
            yield Found(("blocked", "patterns"), f"{pattern!r} blocks everything")
        elif hit:
            yield Found(("blocked", "patterns"), f"{pattern!r} blocks every value of {', '.join(hit)}")
    for rules in policy.namespaces.values():
        for pattern in rules.blocked_patterns:
            if _blocks_all(pattern, rules.normaliser):
                yield Found(("namespaces", rules.name, "blocked_patterns"), f"{pattern!r} blocks every {rules.name}")


def _blocks_all(pattern: str, normaliser: Normaliser) -> bool:
    return all(matching((pattern,)).match(sample) for sample in SAMPLES[normaliser])


def _of_traits(policy: Policy) -> Iterator[Found]:
    claimed: dict[str, str] = {name: name for name in policy.traits}
    for trait in policy.traits.values():
        path = ("traits", trait.name)
        if not NAMESPACE_PATTERN.match(trait.name):
            yield Found(path, f"`{trait.name}` must match [a-z][a-z0-9_.]{{0,63}}")
        for spelling in _twice(trait.spellings):
            yield Found((*path, "spellings"), f"`{spelling}` is there twice")
        for spelling in dict.fromkeys(trait.spellings):
            owner = claimed.setdefault(spelling, trait.name)
            if owner != trait.name:
                yield Found((*path, "spellings"), f"`{spelling}` is claimed by the trait `{owner}` as well")


def _of_lists(policy: Policy) -> Iterator[Found]:
    for source in _twice(policy.source_rank):
        yield Found(("source_rank",), f"`{source}` is ranked twice")
    if MANUAL in policy.source_rank:
        yield Found(("source_rank",), "values set by hand outrank all others always; `manual` is not ranked")
    for role in _twice(policy.account_roles):
        yield Found(("accounts", "roles"), f"`{role}` is ranked twice")
    for path, words in ((("source_rank",), policy.source_rank), (("accounts", "roles"), policy.account_roles)):
        if any(not each.strip() for each in words):
            yield Found(path, "holds an empty name")


def _twice(words: Sequence[str] | Iterable[str]) -> list[str]:
    return [word for word, times in Counter(words).items() if times > 1]
