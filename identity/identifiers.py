"""Identifiers: from what a sender typed to a key, or to the reason why it names nobody."""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NewType

import email_validator
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from identity.policy import Namespace, Normaliser, Policy, Role

IdentifierKey = NewType("IdentifierKey", str)
ProfileId = NewType("ProfileId", str)

SHA256_HEX = re.compile(r"[0-9a-f]{64}\Z")
GMAIL = frozenset({"gmail.com", "googlemail.com"})
WORDS = re.compile(r"[^\W\d_]+")
ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK"})
INVISIBLE = frozenset({"Cc", "Cf"})

# Addresses under .local, .test and the like are real inside a company; they name people as well as others do.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


@dataclass(frozen=True, slots=True)
class Identifier:
    """A namespace and a normalised value. key: namespace:value, unique in the graph."""

    namespace: str
    value: str
    key: IdentifierKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", IdentifierKey(f"{self.namespace}:{self.value}"))


@dataclass(frozen=True, slots=True)
class Blocked:
    """A value that names nobody. code: `empty`, `blocked`, `too_long`, `invalid`."""

    code: str
    sentence: str


def namespace_of(key: IdentifierKey) -> str:
    """The first half of a key."""
    return key.partition(":")[0]


def role_of(key: IdentifierKey, policy: Policy) -> Role:
    """Contact, device or contact point, as the policy says of the key's namespace."""
    return policy.namespace(namespace_of(key)).role


def normalise(namespace: str, raw: str, policy: Policy, region: str | None = None) -> Identifier | Blocked:
    """The identifier that a raw value stands for, or why it is none.

    Invisible characters go, the rest is composed (NFC) and trimmed; case is kept except where the namespace folds it.
    region: two letters for phone numbers without a country code.
    """
    text = _visible(raw)
    if not text:
        return Blocked("empty", "the value is empty")
    rules, folded = policy.namespace(namespace), text.casefold()
    if folded in policy.blocked_values or policy.blocked.match(folded) or rules.blocks(folded):
        return Blocked("blocked", "the value is a placeholder that many people share")
    if len(text.encode()) > policy.max_value_bytes:
        return Blocked("too_long", f"the value is longer than {policy.max_value_bytes} bytes")
    value = _value(text, rules, region)
    return value if isinstance(value, Blocked) else Identifier(namespace, value)


def _visible(raw: str) -> str:
    if raw.isascii() and raw.isprintable():
        return raw.strip()
    kept = (letter for letter in raw if letter.isspace() or unicodedata.category(letter) not in INVISIBLE)
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def _value(text: str, rules: Namespace, region: str | None) -> str | Blocked:
    match rules.normaliser:
        case Normaliser.TEXT:
            return text
        case Normaliser.EMAIL:
            return _email(text)
        case Normaliser.EMAIL_FOLDED:
            return _folded(_email(text))
        case Normaliser.PHONE:
            return _phone(text, region)
        case Normaliser.SHA256:
            lower = text.lower()
            return lower if SHA256_HEX.match(lower) else Blocked("invalid", "not 64 hexadecimal digits")


@lru_cache(maxsize=65_536)
def _email(text: str) -> str | Blocked:
    try:
        read = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        return Blocked("invalid", f"not an email address: {error}")
    if any(_mixed(word) for word in WORDS.findall(f"{read.local_part}@{read.domain}")):
        return Blocked("invalid", "letters of several alphabets that look alike stand in one word of the address")
    return f"{read.local_part.lower()}@{(read.ascii_domain or read.domain).lower()}"


def _mixed(word: str) -> bool:
    """Whether a word mixes alphabets whose letters are taken for each other, as a Latin and a Cyrillic a are."""
    return not word.isascii() and len({script for each in word if (script := _script(each)) in ALIKE}) > 1


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _folded(address: str | Blocked) -> str | Blocked:
    """The mailbox behind an address: without what follows a plus, and at Gmail, where they mean nothing, the dots."""
    if isinstance(address, Blocked):
        return address
    local, _, domain = address.rpartition("@")
    box = local.partition("+")[0] or local
    if domain in GMAIL:
        return f"{box.replace('.', '')}@gmail.com"
    return f"{box}@{domain}"


@lru_cache(maxsize=65_536)
def _phone(text: str, region: str | None) -> str | Blocked:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        return Blocked("invalid", f"not a phone number: {error}")
    if not phonenumbers.is_valid_number(number):
        return Blocked("invalid", "not a valid phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
