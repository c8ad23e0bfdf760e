"""What people buy: orders, on the web and by phone, and receipts at the till. Each is told by two sources or one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from selfsame.demo import cast
from selfsame.demo.company import FIRST_DAY, Company, Person
from selfsame.demo.lists import Product, lists

WEB_ORDERS, PHONE_ORDERS = 268, 130
KNOWN_RECEIPTS, CASH_RECEIPTS = 760, 137
STORES = ("Leeds", "Sheffield", "Keswick")


@dataclass(frozen=True, slots=True)
class Line:
    """So many pieces of one product."""

    product: Product
    quantity: int

    @property
    def pence(self) -> int:
        """What the line costs."""
        return self.product.pence * self.quantity


@dataclass(frozen=True, slots=True)
class Order:
    """Something ordered; on_web: the web shop tells of it as well."""

    order_id: str
    person: Person
    at: datetime
    lines: tuple[Line, ...]
    on_web: bool = True

    @property
    def pence(self) -> int:
        """What the order costs."""
        return sum(line.pence for line in self.lines)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Something bought at a till; person None: paid in cash and unknown."""

    store: str
    till: int
    at: datetime
    lines: tuple[Line, ...]
    person: Person | None = None
    shows: tuple[str, ...] = ()

    @property
    def pence(self) -> int:
        """What the receipt comes to."""
        return sum(line.pence for line in self.lines)


def orders_of(company: Company) -> tuple[Order, ...]:
    """About 400 orders by time, numbered in that order."""
    random = Random(f"{company.seed}/orders")
    online = [each for each in company.people if each.visits and each.email and not each.scripted]
    callers = [each for each in company.people if each.phone and not each.scripted]
    drawn = [_order(random, random.choice(online), on_web=True) for _ in range(WEB_ORDERS)]
    drawn += [_order(random, random.choice(callers), on_web=False) for _ in range(PHONE_ORDERS)]
    return tuple(sorted([*drawn, *_adas_orders()], key=lambda each: each.at))


def _order(random: Random, person: Person, *, on_web: bool) -> Order:
    at = moment(random, 7, 22)
    number = f"W{random.randrange(16**8):08X}" if on_web else f"T{random.randrange(16**8):08X}"
    return Order(number, person, at, _lines(random), on_web)


def moment(random: Random, opens: int, closes: int) -> datetime:
    """Some second of some day of the four months, between two hours."""
    return FIRST_DAY + timedelta(days=random.randint(1, 116), seconds=random.randint(opens * 3600, closes * 3600 - 1))


def _lines(random: Random) -> tuple[Line, ...]:
    chosen = random.sample(lists().products, random.choice((1, 1, 1, 2, 2, 3)))
    return tuple(Line(product, random.choice((1, 1, 1, 2))) for product in chosen)


def product(sku: str) -> Product:
    """The product with this sku. Raises KeyError when Fernhill does not sell it."""
    return {each.sku: each for each in lists().products}[sku]


def _adas_orders() -> Sequence[Order]:
    harness, rope = Line(product("FH-2001"), 1), Line(product("FH-2003"), 1)
    return (
        Order("W00ADA001", cast.ADA, datetime(2026, 3, 14, 18, 40, tzinfo=UTC), (harness,)),
        Order("W00ADA002", cast.ADA, datetime(2026, 5, 20, 20, 12, tzinfo=UTC), (rope, harness)),
    )


def receipts_of(company: Company) -> tuple[Receipt, ...]:
    """About 900 receipts by time; most show a loyalty number, some an email or a phone, some nothing."""
    random = Random(f"{company.seed}/receipts")
    members = [each for each in company.people if each.loyalty and not each.scripted]
    others = [each for each in company.people if each.email and not (each.loyalty or each.scripted)]
    customers = [*members, *random.sample(others, 60)]
    again = random.choices(customers, k=KNOWN_RECEIPTS - len(customers))
    drawn = [_known_receipt(random, person) for person in (*customers, *again)]
    drawn += [_receipt(random, None, ()) for _ in range(CASH_RECEIPTS)]
    return tuple(sorted([*_carded(drawn, random), *_adas_receipts()], key=lambda each: each.at))


def _known_receipt(random: Random, person: Person) -> Receipt:
    can_show = [each for each in ("loyalty", "email", "phone") if getattr(person, each)]
    weights = [{"loyalty": 6, "email": 2, "phone": 1}[each] for each in can_show]
    return _receipt(random, person, tuple(random.choices(can_show, weights)))


def _receipt(random: Random, person: Person | None, shows: tuple[str, ...]) -> Receipt:
    return Receipt(random.choice(STORES), random.randint(1, 4), moment(random, 9, 18), _lines(random), person, shows)


def _carded(receipts: Sequence[Receipt], random: Random) -> list[Receipt]:
    """The same, but seven in ten of those with an email give it when they show their loyalty card first."""
    seen: set[str] = set()
    told: list[Receipt] = []
    for receipt in sorted(receipts, key=lambda each: each.at):
        person = receipt.person
        first = person is not None and "loyalty" in receipt.shows and person.key not in seen
        if person is not None and first:
            seen.add(person.key)
        tells = person is not None and first and person.email is not None and random.random() < 0.7
        told.append(replace(receipt, shows=("email", "loyalty")) if tells else receipt)
    return told


def _adas_receipts() -> Sequence[Receipt]:
    chalk, shoes = Line(product("FH-2002"), 2), Line(product("FH-2004"), 1)
    return (
        Receipt("Leeds", 2, datetime(2026, 4, 11, 11, 23, tzinfo=UTC), (chalk,), cast.ADA, ("email", "loyalty")),
        Receipt("Leeds", 1, datetime(2026, 5, 9, 15, 47, tzinfo=UTC), (shoes,), cast.ADA, ("loyalty",)),
    )
