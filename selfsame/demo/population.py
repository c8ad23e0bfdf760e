"""Everybody at Fernhill who is in no story: accounts and people, drawn from a seed."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from selfsame.demo.company import FIRST_DAY, Account, Device, Person, opaque
from selfsame.demo.lists import lists

GROUPS, CHILDREN, ALONE = 18, 45, 53
WHOLESALE, RETAIL, VISITORS = 324, 116, 34
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_4)",
    "Mozilla/5.0 (X11; Linux x86_64)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_3 like Mac OS X)",
)
PHONES = ("iPhone 17", "Pixel 9", "Galaxy S26", "Fairphone 6")
# Leeds and Sheffield numbers that Ofcom keeps for drama; unlike its mobile range, phonenumbers calls them valid.
PHONE_RANGES = ("+441134960", "+441144960")
CAST_PHONES = 100


def drawn_accounts(seed: int) -> tuple[Account, ...]:
    """116 accounts: 18 groups, 45 companies that belong to one, 53 that stand alone."""
    random = Random(f"{seed}/accounts")
    words = random.sample(lists().company_words, GROUPS + ALONE)
    groups = [_account(number, word, "Group", random) for number, word in enumerate(words[:GROUPS])]
    kinds = lists().company_kinds
    pairs = [(group, kind) for turn in range(3) for at, group in enumerate(groups) for kind in [kinds[(at + turn) % 8]]]
    children = [
        _account(GROUPS + number, group.name.split()[0], kind, random, group.id)
        for number, (group, kind) in enumerate(pairs[:CHILDREN])
    ]
    first = GROUPS + CHILDREN
    alone = [_account(first + number, word, random.choice(kinds), random) for number, word in enumerate(words[GROUPS:])]
    return (*groups, *children, *alone)


def _account(number: int, word: str, kind: str, random: Random, parent_id: str | None = None) -> Account:
    name = f"{word} {kind}"
    return Account(
        id=f"A-{2001 + number}",
        name=name,
        domain=f"{plain(name)}.example",
        industry=random.choice(lists().industries),
        city=random.choice(lists().cities),
        parent_id=parent_id,
    )


def plain(name: str) -> str:
    """A name as it stands in an address: small letters without accents, dashes for spaces."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return letters.lower().replace(" ", "-")


def drawn_people(seed: int, accounts: Sequence[Account]) -> tuple[Person, ...]:
    """324 people of wholesale accounts, 116 retail customers, 34 visitors of whom nothing but a device is known."""
    draw = _Draw(seed, Random(f"{seed}/people"))
    wholesale = [_wholesale(draw, draw.random.choice(accounts)) for _ in range(WHOLESALE)]
    retail = [_retail(draw) for _ in range(RETAIL)]
    return (*wholesale, *retail, *(_visitor(draw) for _ in range(VISITORS)))


@dataclass(slots=True)
class _Draw:
    """Chance, and what it has given out already, so that no two people get the same."""

    seed: int
    random: Random
    emails: set[str] = field(default_factory=set)
    phones: list[str] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        free = [f"{start}{number:03d}" for start in PHONE_RANGES for number in range(CAST_PHONES, 1000)]
        self.phones = self.random.sample(free, len(free))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def email(self, local: str, domain: str) -> str:
        found, number = f"{local}@{domain}", 1
        while found in self.emails:
            number += 1
            found = f"{local}{number}@{domain}"
        self.emails.add(found)
        return found

    def private_email(self, first_name: str, last_name: str) -> str:
        form = self.random.choice(("{0}.{1}", "{0}{1}", "{2}.{1}", "{1}.{0}"))
        local = form.format(plain(first_name), plain(last_name), plain(first_name)[0])
        return self.email(local, self.random.choice(lists().mail_domains))

    def name(self) -> tuple[str, str]:
        self.count += 1
        return self.random.choice(lists().first_names), self.random.choice(lists().last_names)

    def joined(self) -> datetime:
        return FIRST_DAY + timedelta(days=self.random.randint(4, 84), seconds=self.random.randint(8 * 3600, 22 * 3600))

    def devices(self) -> tuple[Device, ...]:
        browsers = self.random.choice((1, 1, 2))
        apps = 1 if self.chance(0.5) else 0
        return (*(self._browser(number) for number in range(browsers)), *(self._app() for _ in range(apps)))

    def _browser(self, number: int) -> Device:
        return Device(opaque(self.seed, self.count, "browser", number), self.random.choice(BROWSERS))

    def _app(self) -> Device:
        device_id = opaque(self.seed, self.count, "device").upper()
        return Device(opaque(self.seed, self.count, "app"), self.random.choice(PHONES), device_id)


def _wholesale(draw: _Draw, account: Account) -> Person:
    first_name, last_name = draw.name()
    work = draw.email(f"{plain(first_name)}.{plain(last_name)}", account.domain)
    private = draw.private_email(first_name, last_name) if draw.chance(0.35) else None
    online = draw.chance(0.56)
    return Person(
        key=f"p{draw.count:04d}",
        first_name=first_name,
        last_name=last_name,
        city=account.city,
        email=private or work,
        work_email=work if private else None,
        phone=draw.phones.pop() if draw.chance(0.8) else None,
        user_id=f"fh-{30_000 + draw.count}" if online else None,
        joined=draw.joined() if online else None,
        loyalty=f"L-{710_000 + draw.count}" if draw.chance(0.35) else None,
        contact_ids=(f"C-{2000 + draw.count}",),
        account_id=account.id,
        title=draw.random.choice(lists().titles),
        devices=draw.devices() if online else (),
        visits=draw.random.randint(1, 5) if online else 0,
        tells_phone=draw.chance(0.5),
    )


def _retail(draw: _Draw) -> Person:
    first_name, last_name = draw.name()
    online = draw.chance(0.8)
    return Person(
        key=f"p{draw.count:04d}",
        first_name=first_name,
        last_name=last_name,
        city=draw.random.choice(lists().cities),
        email=draw.private_email(first_name, last_name) if online or draw.chance(0.6) else None,
        phone=draw.phones.pop() if draw.chance(0.7) else None,
        user_id=f"fh-{30_000 + draw.count}" if online else None,
        joined=draw.joined() if online else None,
        loyalty=f"L-{710_000 + draw.count}" if not online or draw.chance(0.7) else None,
        contact_ids=(f"C-{2000 + draw.count}",) if online and draw.chance(0.15) else (),
        devices=draw.devices() if online else (),
        visits=draw.random.randint(1, 6) if online else 0,
        tells_phone=draw.chance(0.5),
    )


def _visitor(draw: _Draw) -> Person:
    first_name, last_name = draw.name()
    return Person(
        key=f"p{draw.count:04d}",
        first_name=first_name,
        last_name=last_name,
        city=draw.random.choice(lists().cities),
        devices=draw.devices()[:1],
        visits=draw.random.randint(1, 4),
    )
