"""Erasure: what must no longer be readable, what is taken out of the records of others, what stays out from then on.

What is remembered of an erased identifier is a keyed hash. An interaction goes with the identifier that did it; in the
interactions of others the erased identifiers and their values are taken out, and so they are from new messages that
carry one beside somebody else. A whole value is dropped, a text that mentions it keeps the rest.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from unicodedata import normalize
from urllib.parse import quote, unquote

from identity.evidence import Heard, sha256_of, time_of
from identity.identifiers import Blocked, Identifier, IdentifierKey, namespace_of, normalise, role_of
from identity.messages import Json, MessageId
from identity.policy import Normaliser, Policy, Role

ERASED = "[erased]"
LEAST_KEY_BYTES = 32
MOST_KEY_BYTES = 64  # of BLAKE2b
DIGEST_BYTES = 20
LEAST_LETTER = 5  # characters of a value that is looked for in records that could not be read
WORDS = re.compile(r"[^\s\"'<>(){}\[\],;|\\]+")
PARTS = re.compile(r"[=&?:/]")
NO_DIGIT = re.compile(r"\D")
HASH_LENGTH = 64  # hexadecimal digits of SHA-256
HASHED = "email_sha256"  # the namespace of hashes of addresses
LEAST_NUMBER = 5  # digits: a shorter number stands for a quantity more often than for a person


class Mode(StrEnum):
    """What an erasure does with what comes later."""

    DELETE = "delete"
    SUPPRESS_AND_DELETE = "suppress_and_delete"


class Scope(StrEnum):
    """How much an erasure takes: all that is known of a person, or one identifier."""

    PROFILE = "profile"
    IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class Hashing:
    """Keyed hashes under which erased things are known again; without the key nobody can try out values.

    key: at least 32 bytes; of a longer one than 64 its own hash is used.
    """

    key: bytes = field(repr=False)

    def of_identifier(self, key: IdentifierKey) -> str:
        """The hash of an identifier's key, in hexadecimal."""
        return self._hash(f"identifier\0{key}")

    def of_message(self, id_: MessageId) -> str:
        """The hash of a source and its message id, in hexadecimal."""
        return self._hash(f"message\0{id_}")

    def of_name(self, name: str) -> str:
        """The hash of the key of an account or a thing, in hexadecimal."""
        return self._hash(f"name\0{name}")

    def renamed(self, id_: str, scrub: "Scrub") -> str:
        """A message id; where it tells an erased value, its source and its hash instead."""
        if not scrub.told_by(id_):
            return id_
        return f"{id_.partition(':')[0]}:{self.of_message(MessageId(id_))}"

    def named(self, name: str, scrub: "Scrub") -> str:
        """The key of an account or a thing; where it tells an erased value, its pseudonym instead."""
        return self.pseudonym(name) if scrub.told_by(name) else name

    def pseudonym(self, name: str) -> str:
        """What an account or a thing is called whose key told an erased value: its first half and its hash."""
        return f"{name.partition(':')[0]}:{self.of_name(name)}"

    @property
    def check(self) -> str:
        """What tells this key from another one, and nothing about it."""
        return self._hash("check\0")

    def _hash(self, text: str) -> str:
        key = self.key if len(self.key) <= MOST_KEY_BYTES else blake2b(self.key).digest()
        return blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=DIGEST_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is remembered of an erased identifier. erased_at: µs."""

    hash: str
    mode: Mode
    erased_at: int

    def keeps_out(self, at: int) -> bool:
        """Whether a statement of this moment (µs) about the identifier stays out."""
        return self.mode is Mode.SUPPRESS_AND_DELETE or at <= self.erased_at


@dataclass(frozen=True)
class Scrub:
    """What is taken out of texts: erased identifiers, as they are normalised and as they were typed.

    region: two letters, for phone numbers without a country.
    """

    keys: frozenset[IdentifierKey]
    policy: Policy
    region: str | None = None

    @cached_property
    def values(self) -> frozenset[str]:
        """The values in small letters, composed."""
        return frozenset(_folded(_value(key)) for key in self.keys)

    @cached_property
    def forms(self) -> frozenset[str]:
        """The values in small letters as they stand in texts: also decomposed, and as an address line writes them."""
        spelled = {each for value in self.values for each in (value, value.replace("ss", "ß"))}
        spelled |= {_value(key).lower() for key in self.keys}
        spelled |= {normalize("NFD", each) for each in spelled}
        return frozenset(spelled | {quote(each, safe="", errors="surrogatepass").lower() for each in spelled})

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What finds a value inside a text: whole words, whatever their case; `_` and `%3D` stand between words."""
        longest = "|".join(map(re.escape, sorted(self.forms, key=lambda each: (-len(each), each))))
        before = r"(?:(?<![^\W_])|(?<=%[0-9a-f]{2}))"
        return re.compile(rf"{before}(?:{longest})(?![^\W_])" if longest else r"(?!)", re.IGNORECASE)

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of the erased identifiers."""
        return tuple(sorted({namespace_of(key) for key in self.keys}))

    def telling(self) -> "Scrub":
        """The part of it that may be taken out of the texts of people who never met an identifier."""
        return replace(self, keys=frozenset(key for key in self.keys if is_telling(key, self.policy)))

    def written(self) -> "Scrub":
        """The part of it that is looked for in records that could not be read."""
        return replace(self, keys=frozenset(key for key in self.keys if len(_value(key)) >= LEAST_LETTER))

    def names(self, namespace: str, raw: str) -> bool:
        """Whether a raw value of a namespace is one of the erased identifiers."""
        read = normalise(namespace, raw, self.policy, self.region)
        return isinstance(read, Identifier) and read.key in self.keys

    def is_value(self, value: Json) -> bool:
        """Whether a value by itself is one of the erased ones, however it is written."""
        match value:
            case str():
                return _folded(value) in self.values or any(self.names(each, value) for each in self.namespaces)
            case int():  # a truth value too: no value in small letters reads like one
                return len(str(value)) >= LEAST_NUMBER and str(value) in self.values
            case _:
                return False

    def text(self, text: str) -> str:
        """A text without the values that it mentions."""
        return ERASED if self.is_value(text) else self.pattern.sub(ERASED, text)

    def told_by(self, key: str) -> bool:
        """Whether the second half of a key tells an erased value: of an id of a message, an account, an order."""
        rest = key.partition(":")[2]
        return self.text(rest) != rest

    def json(self, value: Json) -> Json:
        """A value without the erased ones: fields and elements that are one are gone, texts keep the rest."""
        match value:
            case dict():
                return {self.text(name): self.json(each) for name, each in value.items() if not self.is_value(each)}
            case list():
                return [self.json(each) for each in value if not self.is_value(each)]
            case str():
                return self.text(value)
            case _:
                return ERASED if self.is_value(value) else value

    def sighting(self, row: Json) -> bool:
        """Whether a stored sighting, a list that begins with namespace and raw value, is of an erased identifier."""
        match row:
            case [str(namespace), str(raw), *_]:
                return self.names(namespace, raw)
            case _:
                return False


def _folded(text: str) -> str:
    return normalize("NFC", text).casefold()


def _value(key: IdentifierKey) -> str:
    return key.partition(":")[2]


def is_telling(key: IdentifierKey, policy: Policy) -> bool:
    """Whether a value can be looked for in the texts of people who never met it.

    Those of contact points can, and names of contacts with an at sign, or with letters and digits and no shorter than
    five; `42` or `jones` are too often something else, and devices are met by those alone who carried them.
    """
    value, role = _value(key), role_of(key, policy)
    if role is Role.CONTACT_POINT or (role is Role.CONTACT and "@" in value):
        return True
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return role is Role.CONTACT and len(value) >= LEAST_NUMBER and mixed


def keys_in(heard: Heard) -> frozenset[IdentifierKey]:
    """Every identifier that a message names, what a previousId may mean among them."""
    previous = {f"{namespace}:{each.previous}" for each in heard.aliases for namespace in ("user_id", "anonymous_id")}
    return frozenset(each.key for each in heard.identifiers) | frozenset(map(IdentifierKey, previous))


Form = tuple[IdentifierKey, str]  # a key, and the normaliser that gives it


def forms_of(heard: Heard, policy: Policy, others: Mapping[str, Sequence[Policy]]) -> dict[IdentifierKey, set[Form]]:
    """Every identifier that a message names, with the keys under which its raw value may have been erased.

    others: of each namespace of contact points the policies that write it otherwise, as `written_otherwise` gives them.
    """
    found = {key: {(key, normaliser_of(key, policy))} for key in keys_in(heard)}
    for each in heard.message.sightings:
        now = normalise(each.namespace, each.value, policy, heard.message.region)
        if isinstance(now, Identifier) and now.key in found:
            found[now.key] |= forms_of_value(each.namespace, each.value, policy, others, heard.message.region)
    return found


def forms_of_value(
    namespace: str, raw: str, policy: Policy, others: Mapping[str, Sequence[Policy]], region: str | None = None
) -> frozenset[Form]:
    """The keys under which a raw value may have been erased: what any normaliser makes of it, and an address's hash.

    Of the hashes that of today's key counts and that of the plain address, which others send: two addresses that only
    another policy folds into one have one hash there, and are two all the same.
    """
    forms: set[Form] = set()
    for each in (policy, *others.get(namespace, ())):
        read = normalise(namespace, raw, each, region)
        if isinstance(read, Identifier):
            how = normaliser_of(read.key, each)
            forms.add((read.key, how))
            if each is policy or how == Normaliser.EMAIL:
                forms |= _hash_forms(read.key, policy, others)
    return frozenset(forms)


@dataclass(frozen=True, slots=True)
class Named:
    """An identifier that somebody asks about, by its key of today. forms: as what it may have been erased."""

    key: IdentifierKey
    forms: frozenset[Form]


def named(namespace: str, raw: str, policy: Policy) -> Named | Blocked:
    """The identifier that a raw value names, with all that it may have been erased as; or why it names nobody."""
    read = normalise(namespace, raw, policy)
    if isinstance(read, Blocked):
        return read
    return Named(read.key, forms_of_value(namespace, raw, policy, written_otherwise(policy)))


def _hash_forms(key: IdentifierKey, policy: Policy, others: Mapping[str, Sequence[Policy]]) -> set[Form]:
    hashes = also_known_as(key)[1:]
    return {(name, normaliser_of(name, each)) for name in hashes for each in (policy, *others.get(HASHED, ()))}


def written_otherwise(policy: Policy) -> dict[str, tuple[Policy, ...]]:
    """For each namespace of contact points the same policy with each other normaliser."""
    points = {name: each for name, each in policy.namespaces.items() if each.role is Role.CONTACT_POINT}
    return {
        name: tuple(
            replace(policy, namespaces={**policy.namespaces, name: replace(each, normaliser=other)})
            for other in Normaliser
            if other is not each.normaliser
        )
        for name, each in points.items()
    }


def normaliser_of(key: IdentifierKey, policy: Policy) -> str:
    """The word for how the value of a key is written."""
    return policy.namespace(namespace_of(key)).normaliser.value


def erased_in(heard: Heard, tombstones: Mapping[IdentifierKey, Tombstone]) -> frozenset[IdentifierKey]:
    """The identifiers of a message that stay out, by its own time."""
    own = time_of(heard.message)
    return frozenset(key for key in keys_in(heard) if key in tombstones and tombstones[key].keeps_out(own))


def stays_out(heard: Heard, erased: Collection[IdentifierKey]) -> bool:
    """Whether a message stays out as a whole, since it is about somebody erased.

    It is about its strongest contact or contact point, and about its actor where it has none: what an unknown device
    does in the name of an erased person stays out, what another person does on an erased device does not.
    """
    about = heard.persons[0] if heard.persons else heard.actor
    return about in erased


def also_known_as(key: IdentifierKey) -> tuple[IdentifierKey, ...]:
    """An identifier, and the hash under which others send an address."""
    if namespace_of(key) != "email":
        return (key,)
    return key, IdentifierKey(f"{HASHED}:{sha256_of(_value(key))}")


def told_in(text: str) -> frozenset[IdentifierKey]:
    """The identifiers that may stand in a text which cannot be read as a message: what each of its words could be."""
    words = {part for word in WORDS.findall(unquote(text)) for part in (word, *PARTS.split(word))}
    typed = {IdentifierKey(f"email:{word.casefold()}") for word in words if "@" in word}
    addresses = {name for each in typed for name in also_known_as(each)}
    numbers = {f"phone:+{digits}" for word in words if len(digits := NO_DIGIT.sub("", word)) >= LEAST_NUMBER}
    hashes = {f"{HASHED}:{word.lower()}" for word in words if len(word) == HASH_LENGTH}
    return frozenset(map(IdentifierKey, {f"user_id:{word}" for word in words if word} | addresses | numbers | hashes))
