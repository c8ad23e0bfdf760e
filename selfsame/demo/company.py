"""The nouns of the sample company: people and what they carry, accounts, stories."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_DNS, uuid5

Named = tuple[str, str]  # namespace, normalised value

HOME = uuid5(NAMESPACE_DNS, "fernhill.example")

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
LAST_DAY = datetime(2026, 6, 28, tzinfo=UTC)


def opaque(*parts: object) -> str:
    """An id that looks random (a UUID) and is the same for the same parts on every run."""
    return str(uuid5(HOME, "/".join(map(str, parts))))


@dataclass(frozen=True, slots=True)
class Device:
    """A browser (device_id None) or the app on a phone. model: as its user agent or the app tells it."""

    anonymous_id: str
    model: str
    device_id: str | None = None

    @property
    def names(self) -> frozenset[Named]:
        """Its identifiers."""
        own = {("anonymous_id", self.anonymous_id)}
        return frozenset(own | {("device_id", self.device_id)} if self.device_id else own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One real person, with everything that is known of her only because we made her up.

    joined: when she signs up on the web; None without a user_id. visits: how many random visits she pays to the web.
    email: what she gives on the web and at the till. work_email: what the CRM has instead, where it differs.
    tells_phone: whether the web knows her number. scripted: her story tells all she does; nothing random is added.
    """

    key: str
    first_name: str
    last_name: str
    city: str
    email: str | None = None
    work_email: str | None = None
    phone: str | None = None
    user_id: str | None = None
    joined: datetime | None = None
    loyalty: str | None = None
    contact_ids: tuple[str, ...] = ()
    account_id: str | None = None
    title: str = ""
    devices: tuple[Device, ...] = ()
    visits: int = 0
    tells_phone: bool = False
    scripted: bool = False

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"

    @property
    def names(self) -> frozenset[Named]:
        """Her identifiers in our namespaces, also those she shares with others."""
        single = {
            "user_id": self.user_id,
            "email": self.email,
            "phone": self.phone,
            "loyalty": self.loyalty,
        }
        own = {(namespace, value) for namespace, value in single.items() if value}
        own |= {("email", self.work_email)} if self.work_email else set()
        own |= {("crm_contact", contact) for contact in self.contact_ids}
        return frozenset(own.union(*(device.names for device in self.devices)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer of the wholesale arm."""

    id: str
    name: str
    domain: str
    industry: str
    city: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """Something that happens to named people on purpose.

    asks: the identifiers worth asking for, by their part in the story (`laptop`, `email`); `account` names accounts.
    shared: the identifiers that belong to several people; to nobody alone.
    """

    key: str
    sentence: str
    people: tuple[Person, ...]
    asks: Mapping[str, Named] = field(default_factory=dict)
    shared: frozenset[Named] = frozenset()


@dataclass(frozen=True, slots=True)
class Company:
    """Fernhill: all people, those of the stories first; all accounts; the stories by key."""

    seed: int
    people: tuple[Person, ...]
    accounts: tuple[Account, ...]
    stories: Mapping[str, Story]
