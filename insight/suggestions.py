"""Who may be the selfsame person, and who may belong to an organisation: scored pairs, for somebody to decide.

A suggestion is no link: it joins nobody. It is a function of the stored evidence, the same for a pair whoever asks, and
it is not made where a merge could not be accepted: where somebody decided that two are different, where the person
would be too large. Where only two values of a unique namespace stand in the way, as of two records of one person in a
CRM, it is made over a contact point and says that it needs an override; never over a device, or all users of a kiosk
would be suggested. Source: design.md §5, docs/decisions/0003, cases T17, T29, T37, T72 and T73.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.policy import Policy
from identity.stitching import Pair, Standing
from insight.free_mail import FREE_MAIL

DOTS_MEAN_NOTHING = frozenset({"gmail.com", "googlemail.com"})


class Ground(StrEnum):
    """Why two may be the same, or one may belong to the other."""

    FOLDED_EMAIL = "folded_email"
    SHARED_CONTACT_POINT = "shared_contact_point"
    SHARED_DEVICE = "shared_device"
    SHARED_CONTACT_POINT_ONLY = "shared_contact_point_only"
    COMPANY_DOMAIN = "company_domain"


# The strongest first: the order in which a list of all suggestions goes.
SCORES: Mapping[Ground, float] = {
    Ground.FOLDED_EMAIL: 0.9,
    Ground.SHARED_CONTACT_POINT: 0.7,
    Ground.SHARED_DEVICE: 0.5,
    Ground.SHARED_CONTACT_POINT_ONLY: 0.3,
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

    anchor: the identifier whose mint is the profile's id; minted_at: when it got it (µs). emails: by what the address
    folds to. domains: the smallest address of each mail domain. points, devices: what the person shares with a few
    others. unique: the values of unique namespaces. decided: the identifiers that manual acts name. accounts: those the
    person belongs to, or not, by hand.
    """

    profile: ProfileId
    anchor: IdentifierKey
    minted_at: int
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
    """Two that may be the same. a, b: the identifiers in question; over: what they have in common.

    staying: that of the older profile, whose values would stay. values: what stands against each other of unique
    namespaces, the one that would be replaced and the one that would stay, by namespace.
    """

    ground: Ground
    one: ProfileId
    other: ProfileId
    a: IdentifierKey
    b: IdentifierKey
    over: str
    staying: IdentifierKey
    values: tuple[Pair, ...] = ()

    @property
    def leaving(self) -> IdentifierKey:
        """The identifier of the younger profile."""
        return self.a if self.staying == self.b else self.b

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

    The same whichever comes first: the smaller anchor stands for `one`. The older profile is the one whose anchor was
    minted first.
    """
    if other.anchor < one.anchor:
        one, other = other, one
    if one.profile == other.profile or not _may_be_one(one, other, standing, rules):
        return None
    older, younger = (one, other) if (one.minted_at, one.anchor) < (other.minted_at, other.anchor) else (other, one)
    values = _against(younger, older, standing)
    common = _in_common(one, other, against=bool(values))
    if common is None:
        return None
    ground, over = common
    ends = {each.profile: each.emails[over] if ground is Ground.FOLDED_EMAIL else each.anchor for each in (one, other)}
    a, b, staying = ends[one.profile], ends[other.profile], ends[older.profile]
    return Suggestion(ground, one.profile, other.profile, a, b, over, staying, values)


def _may_be_one(one: Side, other: Side, standing: Standing, rules: MergeRules) -> bool:
    if one.size + other.size > rules.most_identifiers:
        return False
    return not any((min(a, b), max(a, b)) in standing.different for a in one.decided for b in other.decided)


def _in_common(one: Side, other: Side, *, against: bool) -> tuple[Ground, str] | None:
    """The strongest ground on which two may be one, and what it is over. against: they have values that differ."""
    folds = one.emails.keys() & other.emails.keys()
    points, devices = one.points & other.points, one.devices & other.devices
    if folds:
        return Ground.FOLDED_EMAIL, min(folds)
    if points and one.name is not None and one.name == other.name:
        return Ground.SHARED_CONTACT_POINT, min(points)
    if devices and not against:
        return Ground.SHARED_DEVICE, min(devices)
    return (Ground.SHARED_CONTACT_POINT_ONLY, min(points)) if points else None


def _against(younger: Side, older: Side, standing: Standing) -> tuple[Pair, ...]:
    """The values of unique namespaces that both have and that differ, by namespace."""
    theirs, stay = _values(younger, standing), _values(older, standing)
    both = sorted(theirs.keys() & stay.keys())
    return tuple((theirs[name], stay[name]) for name in both if theirs[name] != stay[name])


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
    Ground.SHARED_CONTACT_POINT_ONLY: "Two people share {over}; their names differ or are unknown; they may be one.",
    Ground.COMPANY_DOMAIN: "{a} is an address of {over}, the domain of the account {b}.",
}


def sentence_of(each: Suggestion | Affiliation) -> str:
    """A suggestion in plain English."""
    said = SENTENCES[each.ground].format(a=each.a, b=second_of(each), over=each.over)
    values = each.values if isinstance(each, Suggestion) else ()
    return f"{said} {override_of(values)}" if values else said


def override_of(values: Iterable[Pair]) -> str:
    """What accepting a suggestion would replace, in plain English."""
    replaced = ", ".join(f"{stays} would replace {gone}" for gone, stays in values)
    return f"Accepting it needs an override: {replaced}."
