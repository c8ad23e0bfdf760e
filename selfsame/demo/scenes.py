"""The stories as they happen on the web, visit by visit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from selfsame.demo import cast
from selfsame.demo.company import FIRST_DAY, Company, Device, Person
from selfsame.demo.purchases import Order, orders_of, product
from selfsame.demo.visits import Visit

EVENINGS = 8


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where the scenes are played: opens a visit at a device and a moment."""

    random: Random
    company: Company
    orders: dict[str, Sequence[Order]]

    def visit(self, device: Device, at: datetime, user: Person | None = None, delay: timedelta | None = None) -> Visit:
        return Visit(device, at, self.random, user.user_id if user else None, delay or timedelta())


def story_visits(company: Company) -> Iterator[Visit]:
    """The visits of all stories, story by story."""
    orders: dict[str, list[Order]] = {}
    for order in orders_of(company):
        orders.setdefault(order.person.key, []).append(order)
    for play in SCENES:
        yield from play(_Stage(Random(f"{company.seed}/{play.__name__}"), company, dict(orders)))


def _at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def _heroine(stage: _Stage) -> Iterator[Visit]:
    laptop, app = cast.ADA.devices
    yield _anonymous(stage, laptop, _at(3, 7, 10, 12), "FH-2001")
    yield _anonymous(stage, app, _at(3, 9, 19, 5), "FH-2003")
    yield from _ada_signs_up(stage, laptop)
    yield from _ada_on_her_phone(stage, app)
    later = stage.visit(laptop, _at(5, 20, 19, 55), cast.ADA)
    later.see("Climbing", {"path": "/climbing"})
    later.view(product("FH-2003"))
    later.buy(stage.orders[cast.ADA.key][1])
    yield later


def _anonymous(stage: _Stage, device: Device, at: datetime, sku: str) -> Visit:
    visit = stage.visit(device, at)
    visit.see("Home", {"path": "/"})
    visit.see("Climbing", {"path": "/climbing"})
    visit.view(product(sku))
    return visit


def _ada_signs_up(stage: _Stage, laptop: Device) -> Iterator[Visit]:
    visit = stage.visit(laptop, _at(3, 14, 18))
    visit.see("Home", {"path": "/"})
    visit.view(product("FH-2001"))
    visit.enter(cast.ADA, new=True)
    visit.join(cast.NORTHGATE_CLIMBING)
    yield visit
    ordering = stage.visit(laptop, _at(3, 14, 18, 30), cast.ADA)
    ordering.see("Checkout", {"path": "/checkout"})
    ordering.buy(stage.orders[cast.ADA.key][0])
    yield ordering


def _ada_on_her_phone(stage: _Stage, app: Device) -> Iterator[Visit]:
    yield _anonymous(stage, app, _at(3, 28, 7, 40), "FH-2004")
    visit = stage.visit(app, _at(4, 2, 12, 20))
    visit.see("Home")
    visit.enter(cast.ADA, new=False)
    visit.view(product("FH-2004"))
    yield visit


def _family_tablet(stage: _Stage) -> Iterator[Visit]:
    for evening in range(EVENINGS):
        person = cast.MARLOWS[evening % 2]
        visit = stage.visit(cast.FAMILY_TABLET, _at(3, 15, 19) + timedelta(days=9 * evening))
        visit.browse(2)
        visit.enter(person, new=False)
        visit.browse(2)
        visit.sign_out()
        visit.browse(1)
        yield visit


def _kiosk(stage: _Stage) -> Iterator[Visit]:
    for number, person in enumerate(stage.company.stories["kiosk"].people):
        day, place = divmod(number, 15)
        visit = stage.visit(cast.KIOSK, _at(6, 6 + day, 10) + timedelta(minutes=31 * place))
        visit.see("Welcome")
        visit.enter(person, new=False)
        visit.browse(1)
        visit.sign_out()
        yield visit


def _passed_phone(stage: _Stage) -> Iterator[Visit]:
    yield _sign_up(stage, cast.LEO)
    yield _sign_up(stage, cast.SUKI)


def _sign_up(stage: _Stage, person: Person) -> Visit:
    visit = stage.visit(person.devices[0], person.joined or FIRST_DAY)
    visit.browse(2)
    visit.enter(person, new=True)
    visit.browse(1)
    return visit


def _late_and_repeated(stage: _Stage) -> Iterator[Visit]:
    laptop, app = cast.WREN.devices
    fells = stage.visit(app, _at(4, 4, 9), delay=timedelta(days=2, hours=3))
    fells.browse(3)
    yield fells
    again = stage.visit(app, _at(4, 4, 9), delay=timedelta(days=2, hours=4))
    again.calls += fells.calls
    yield again
    home = stage.visit(laptop, _at(4, 5, 18))
    home.browse(1)
    home.enter(cast.WREN, new=True)
    yield home
    signs_in = stage.visit(app, _at(4, 7, 8))
    signs_in.enter(cast.WREN, new=False)
    yield signs_in


def _alias(stage: _Stage) -> Iterator[Visit]:
    (app,) = cast.HANA.devices
    yield _anonymous(stage, app, _at(4, 12, 16), "FH-4002")
    visit = stage.visit(app, _at(4, 17, 18), cast.HANA)
    visit.say("alias", previous_id=app.anonymous_id, context={})
    yield visit
    server = stage.visit(Device("", "server"), _at(4, 17, 18, 30), cast.HANA)
    server.say("identify", traits={"email": cast.HANA.email, "firstName": "Hana", "lastName": "Vesely"})
    yield server


def _broken_build(stage: _Stage) -> Iterator[Visit]:
    for number, person in enumerate(cast.VISITORS):
        visit = stage.visit(person.devices[0], _at(4, 20, 9 + number))
        visit.user_id = "undefined"
        visit.see("Home", {"path": "/"})
        visit.say("identify", traits={"plan": "none"})
        visit.browse(1)
        yield visit


def _login_conflict(stage: _Stage) -> Iterator[Visit]:
    yield _sign_up(stage, cast.THEO)
    yield _sign_up(stage, cast.JONAS)
    guest = stage.visit(cast.THEO.devices[0], _at(5, 2, 21), cast.THEO)
    guest.sign_out()
    guest.see("Sign in", {"path": "/sign-in"})
    guest.say("track", event="Sign In Link Requested", properties={"email": cast.JONAS.email})
    yield guest


SCENES: tuple[Callable[[_Stage], Iterator[Visit]], ...] = (
    _heroine,
    _family_tablet,
    _kiosk,
    _passed_phone,
    _late_and_repeated,
    _alias,
    _broken_build,
    _login_conflict,
)
