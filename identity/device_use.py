"""Who used a shared device when.

A device that turned generic belongs to nobody, but its anonymous interactions can still be told by time. A login is any
message on the device that carries an identifier of a person which is not generic. From a login until a logout, or until
nothing happened for some minutes, what happens on the device is that person's; what happened before the first login is
the first person's; all the rest is the device's own. The answer is a function of the device's interactions alone, so it
never moves history to a stranger. Source: design.md §5, cases T17 to T24.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from identity.identifiers import IdentifierKey
from identity.policy import DeviceRule, Policy

BEGINNING = 0
FOREVER = 253_402_300_799_000_000  # the last moment that a datetime can hold


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. at: µs, as shown. persons: its contacts and contact points, strongest first."""

    at: int
    id: str
    name: str | None
    persons: tuple[IdentifierKey, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """From one moment to another, both included, the anonymous interactions of the device are this person's."""

    person: IdentifierKey
    start: int
    end: int


def uses_of(happenings: Iterable[Happening], generic: Collection[IdentifierKey], policy: Policy) -> tuple[Use, ...]:
    """The uses of a shared device, in the order of time; they do not overlap.

    happenings: all of them, in any order. generic: identifiers that are no login.
    """
    ordered = sorted(happenings, key=lambda each: (each.at, each.id))
    logins = [person for each in ordered if (person := _login([each], generic)) is not None]
    if not logins:
        return ()
    match policy.device_rule:
        case DeviceRule.BY_TIME:
            return _by_time(ordered, generic, policy)
        case DeviceRule.LAST_AUTHENTICATED:
            return (Use(logins[-1], BEGINNING, FOREVER),)
        case DeviceRule.FIRST_ONLY:
            return (Use(logins[0], BEGINNING, FOREVER),)
        case DeviceRule.NEVER_GUESS:
            return ()


def _by_time(ordered: Sequence[Happening], generic: Collection[IdentifierKey], policy: Policy) -> tuple[Use, ...]:
    idle = policy.device_idle_minutes * 60_000_000
    uses: list[Use] = []
    open_use: Use | None = None
    for at, together in groupby(ordered, key=lambda each: each.at):
        group = list(together)
        if open_use is not None and at - open_use.end > idle:
            uses.append(open_use)
            open_use = None
        login = _login(group, generic)
        if login is not None and (open_use is None or open_use.person != login):
            uses += [open_use] if open_use is not None else []
            open_use = Use(login, at if uses else BEGINNING, at)
        elif open_use is not None:
            open_use = Use(open_use.person, open_use.start, at)
        if open_use is not None and any(each.name in policy.logout_names for each in group):
            uses.append(open_use)
            open_use = None
    return (*uses, open_use) if open_use is not None else tuple(uses)


def _login(group: Sequence[Happening], generic: Collection[IdentifierKey]) -> IdentifierKey | None:
    """The person who logged in at one moment: of several messages the last by id, of its identifiers the strongest."""
    found = (person for each in reversed(group) for person in each.persons if person not in generic)
    return next(found, None)
