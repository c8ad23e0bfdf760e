"""Visits to the web shop and the app, as calls for the real Segment client."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal, cast

from selfsame.demo.company import Account, Company, Device, Person, opaque
from selfsame.demo.lists import Product, lists
from selfsame.demo.purchases import Order, moment, orders_of

CallKind = Literal["identify", "track", "page", "screen", "group", "alias"]

CAMPAIGNS = (("spring", "newsletter", "email"), ("easter", "search", "cpc"), ("fell-race", "social", "paid"))


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Segment client: the method, and exactly its keyword arguments."""

    kind: CallKind
    arguments: dict[str, object]

    @property
    def at(self) -> datetime:
        """When it happened."""
        return cast(datetime, self.arguments["timestamp"])


@dataclass(slots=True)
class Visit:
    """Somebody at a device: each step lets some seconds pass and leaves a call.

    clock: the time of the last call. user_id: who is signed in. delay: how much later all of it is sent.
    """

    device: Device
    clock: datetime
    random: Random
    user_id: str | None = None
    delay: timedelta = timedelta()
    calls: list[Call] = field(default_factory=list)

    def browse(self, products: int) -> None:
        """Look at so many products, with the lists they stand in."""
        for product in self.random.sample(lists().products, products):
            self.see(product.category, {"path": f"/{product.category.lower().replace(' ', '-')}"})
            self.view(product)

    def see(self, name: str, properties: dict[str, object] | None = None) -> None:
        """Look at a page, or at a screen of the app."""
        self.say("screen" if self.device.device_id else "page", name=name, properties=properties or {})

    def view(self, product: Product) -> None:
        """Look at one product."""
        facts = {"sku": product.sku, "name": product.name, "price": product.pence / 100, "category": product.category}
        self.say("track", event="Product Viewed", properties={**facts, "currency": "GBP"})

    def enter(self, person: Person, *, new: bool) -> None:
        """Sign up, or sign in; from here on the calls carry the user id."""
        self.user_id = person.user_id
        self.say("identify", traits=_traits(person))
        self.say("track", event="Signed Up" if new else "Signed In")

    def sign_out(self) -> None:
        """Sign out; later calls are anonymous."""
        self.say("track", event="Signed Out")
        self.user_id = None

    def join(self, account: Account) -> None:
        """Say for which account the one who is signed in buys."""
        self.say("group", group_id=account.id, traits={"name": account.name, "industry": account.industry})

    def buy(self, order: Order) -> None:
        """Complete an order; a guest gives her email."""
        guest = {} if self.user_id else {"email": order.person.email}
        self.clock = max(self.clock, order.at - timedelta(minutes=4))
        self.say("track", event="Order Completed", properties={**_order_properties(order), **guest})

    def say(self, kind: CallKind, **arguments: object) -> None:
        """Any call, some seconds later."""
        self.clock += timedelta(seconds=self.random.randint(15, 200))
        who = {"user_id": self.user_id, "anonymous_id": None if kind == "alias" else self.device.anonymous_id}
        said = {
            **{name: value for name, value in who.items() if value},
            "context": self._context(),
            **arguments,
            "timestamp": self.clock,
            "message_id": opaque("message", self.device.anonymous_id, self.clock, len(self.calls)),
        }
        self.calls.append(Call(kind, said))

    def _context(self) -> dict[str, object]:
        device = self.device
        if device.device_id is None:
            return {"userAgent": device.model, **self._campaign()}
        return {
            "device": {"id": device.device_id, "model": device.model},
            "app": {"name": "Fernhill", "version": "4.2"},
        }

    def _campaign(self) -> dict[str, object]:
        if self.calls or self.random.random() > 0.3:
            return {}
        name, source, medium = self.random.choice(CAMPAIGNS)
        return {"campaign": {"name": name, "source": source, "medium": medium}}


def _traits(person: Person) -> dict[str, object]:
    traits = {
        "email": person.email,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "city": person.city,
        "phone": person.phone if person.tells_phone else None,
    }
    return {name: value for name, value in traits.items() if value is not None}


def _order_properties(order: Order) -> dict[str, object]:
    products = [
        {
            "sku": line.product.sku,
            "name": line.product.name,
            "price": line.product.pence / 100,
            "quantity": line.quantity,
        }
        for line in order.lines
    ]
    return {"order_id": order.order_id, "total": order.pence / 100, "currency": "GBP", "products": products}


def random_visits(company: Company) -> Iterator[Visit]:
    """The visits of everybody whose story does not tell them all, person by person, each person's in order of time."""
    accounts = {account.id: account for account in company.accounts}
    orders: dict[str, list[Order]] = {}
    for order in orders_of(company):
        if order.on_web:
            orders.setdefault(order.person.key, []).append(order)
    for person in company.people:
        if person.devices and not person.scripted:
            account = accounts.get(person.account_id or "")
            yield from _History(company.seed, person, account).visits(orders.get(person.key, []))


class _History:
    """One person's way through the web shop: unknown at first, known on each device once she has signed in there."""

    def __init__(self, seed: int, person: Person, account: Account | None) -> None:
        self._person = person
        self._account = account
        self._random = Random(f"{seed}/web/{person.key}")
        self._known: set[str] = set()

    def visits(self, orders: Sequence[Order]) -> Iterator[Visit]:
        """All her visits; one on the day she signs up, one for each order, the others at any time."""
        joined = [self._person.joined] if self._person.joined else []
        free = [moment(self._random, 7, 22) for _ in range(self._person.visits)]
        starts: list[tuple[datetime, Order | None]] = [(at, None) for at in (*joined, *free)]
        starts += [(order.at - timedelta(minutes=30), order) for order in orders]
        for start, order in sorted(starts, key=lambda each: each[0]):
            yield self._visit(start, order)

    def _visit(self, start: datetime, order: Order | None) -> Visit:
        person, random = self._person, self._random
        visit = Visit(random.choice(person.devices), start, random, delay=self._delay())
        device = visit.device.anonymous_id
        visit.user_id = person.user_id if device in self._known else None
        visit.see("Home", {"path": "/"})
        visit.browse(random.randint(0, 2))
        if person.joined is not None and start >= person.joined and visit.user_id is None:
            self._enter(visit, new=start == person.joined)
        visit.browse(random.randint(0, 3))
        if order is not None:
            visit.buy(order)
        if visit.user_id is not None and random.random() < 0.12:
            visit.sign_out()
            self._known.discard(device)
        return visit

    def _enter(self, visit: Visit, *, new: bool) -> None:
        visit.enter(self._person, new=new)
        self._known.add(visit.device.anonymous_id)
        if self._account is not None:
            visit.join(self._account)

    def _delay(self) -> timedelta:
        """One visit in forty happens without a network and is sent days later."""
        return timedelta(hours=self._random.randint(5, 70)) if self._random.random() < 0.025 else timedelta()
