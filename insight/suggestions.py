"""Who may be the selfsame person, and who may belong to an organisation: scored pairs, for somebody to decide.

A suggestion is no link: it joins nobody. It is a function of the stored evidence, the same for a pair whoever asks, and
it is made only where a merge would be accepted: not where one person would have two values of what each has once, not
where somebody decided that two are different. Source: design.md §5, cases T37, T72 and T73.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.policy import Policy
from identity.stitching import Standing
from insight.free_mail import FREE_MAIL

DOTS_MEAN_NOTHING = frozenset({"gmail.com", "googlemail.com"})


class Ground(StrEnum):
    """Why two may be the same, or one may belong to the other."""

    FOLDED_EMAIL = "folded_email"
    SHARED_CONTACT_POINT = "shared_contact_point"
    SHARED_DEVICE = "shared_device"
    COMPANY_DOMAIN = "company_domain"


# The strongest first: the order in which a list of all suggestions goes.
SCORES: Mapping[Ground, float] = {
    Ground.FOLDED_EMAIL: 0.9,
    Ground.SHARED_CONTACT_POINT: 0.7,
    Ground.SHARED_DEVICE: 0.5,
    Ground.COMPANY_DOMAIN: 0.2,
}


@dataclass(frozen=True, slots=True)
class MergeRules:
    """What a merge may not break. unique: namespaces of which a person has one value; named: all the policy names."""

    unique: frozenset[str]
    named: frozenset[str]
    most_identifiers: int


def merge_rules(policy: Policy) -> MergeRules:
    """What a policy says of merges."""
    return MergeRules(policy.unique, frozenset(policy.namespaces), policy.profile_limit)


@dataclass(frozen=True, slots=True)
class Side:
    """What suggestions look at in one person.

    anchor: the identifier whose mint is the profile's id. emails: by what the address folds to. domains: the smallest
    address of each mail domain. points, devices: what the person shares with a few others. unique: the values of unique
    namespaces. decided: the identifiers that manual acts name. accounts: those the person belongs to, or not, by hand.
    """

    profile: ProfileId
    anchor: IdentifierKey
    name: str | None
    size: int
    emails: Mapping[str, IdentifierKey]
    domains: Mapping[str, IdentifierKey]
    points: frozenset[IdentifierKey]
    devices: frozenset[IdentifierKey]
    unique: frozenset[IdentifierKey]
    decided: frozenset[IdentifierKey]
    accounts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Organisation:
    """An account as suggestions look at it. key: the one it goes by; domain: where its people have their mail."""

    key: str
    domain: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two that may be the same. a, b: the identifiers in question; over: what they have in common."""

    ground: Ground
    one: ProfileId
    other: ProfileId
    a: IdentifierKey
    b: IdentifierKey
    over: str

    @property
    def score(self) -> float:
        """How sure it is, from 0 to 1."""
        return SCORES[self.ground]


@dataclass(frozen=True, slots=True)
class Affiliation:
    """Somebody who may belong to an account. a: the address in question; over: its domain."""

    one: ProfileId
    account: Organisation
    a: IdentifierKey
    over: str
    ground: Ground = Ground.COMPANY_DOMAIN

    @property
    def score(self) -> float:
        """How sure it is, from 0 to 1."""
        return SCORES[self.ground]


def folded(address: str) -> str:
    """What addresses have in common that may reach one person: without `+tag`, at Gmail without dots as well."""
    local, _, domain = address.rpartition("@")
    bare = local.partition("+")[0]
    if domain in DOTS_MEAN_NOTHING:
        bare, domain = bare.replace(".", ""), "gmail.com"
    return f"{bare}@{domain}" if bare else address


def mail_domain(text: str | None) -> str | None:
    """The domain of addresses in what was said of an account: `https://www.Acme.com/de` is `acme.com`."""
    host = (text or "").strip().lower().rpartition("://")[2].partition("/")[0].partition(":")[0].removeprefix("www.")
    return host if "." in host and "@" not in host else None


def same_person(one: Side, other: Side, standing: Standing, rules: MergeRules) -> Suggestion | None:
    """Whether two people may be one, on the strongest ground there is; None where a merge would be refused, too.

    The same whichever comes first: the smaller anchor stands for `one`.
    """
    if other.anchor < one.anchor:
        one, other = other, one
    if one.profile == other.profile or not _mergeable(one, other, standing, rules):
        return None
    both = sorted(one.emails.keys() & other.emails.keys())
    if both:
        a, b = one.emails[both[0]], other.emails[both[0]]
        return Suggestion(Ground.FOLDED_EMAIL, one.profile, other.profile, a, b, both[0])
    points, devices = one.points & other.points, one.devices & other.devices
    if points and one.name is not None and one.name == other.name:
        ground, over = Ground.SHARED_CONTACT_POINT, min(points)
    elif devices:
        ground, over = Ground.SHARED_DEVICE, min(devices)
    else:
        return None
    return Suggestion(ground, one.profile, other.profile, one.anchor, other.anchor, over)


def _mergeable(one: Side, other: Side, standing: Standing, rules: MergeRules) -> bool:
    mine, theirs = _values(one, standing), _values(other, standing)
    if any(theirs.get(namespace, value) != value for namespace, value in mine.items()):
        return False
    if one.size + other.size > rules.most_identifiers:
        return False
    return not any((min(a, b), max(a, b)) in standing.different for a in one.decided for b in other.decided)


def _values(side: Side, standing: Standing) -> dict[str, IdentifierKey]:
    return {namespace_of(key): standing.current(key) for key in sorted(side.unique)}


def affiliation(person: Side, account: Organisation) -> Affiliation | None:
    """Whether a person may belong to an account: her mail is of its domain, and nobody said whether she does."""
    address = person.domains.get(account.domain)
    if address is None or account.domain in FREE_MAIL or account.key in person.accounts:
        return None
    return Affiliation(person.profile, account, address, account.domain)


def comparable_name(name: str | None, first: str | None, last: str | None) -> str | None:
    """A name as two are compared: the whole one, or first and last; without case and needless spaces."""
    text = name if isinstance(name, str) and name.strip() else " ".join(each for each in (first, last) if each)
    return " ".join(text.casefold().split()) or None


def strongest_first(found: Iterable[Suggestion | Affiliation]) -> tuple[Suggestion | Affiliation, ...]:
    """Suggestions in the order of a list: by score, then by the keys in question."""
    return tuple(sorted(found, key=lambda each: (-each.score, each.a, second_of(each))))


def second_of(each: Suggestion | Affiliation) -> str:
    """The key of the other identifier, or of the account."""
    return each.b if isinstance(each, Suggestion) else each.account.key


SENTENCES: Mapping[Ground, str] = {
    Ground.FOLDED_EMAIL: "{a} and {b} probably reach one mailbox, {over}: without a tag after + they are the same.",
    Ground.SHARED_CONTACT_POINT: "Two people of the same name share {over}; they may be one.",
    Ground.SHARED_DEVICE: "Both were met on {over}, which several people use, and nowhere else; they may be one.",
    Ground.COMPANY_DOMAIN: "{a} is an address of {over}, the domain of the account {b}.",
}


def sentence_of(each: Suggestion | Affiliation) -> str:
    """A suggestion in plain English."""
    return SENTENCES[each.ground].format(a=each.a, b=second_of(each), over=each.over)
