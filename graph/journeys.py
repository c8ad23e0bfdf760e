"""Journeys: the newest or the first sessions of a profile, read no further than they reach."""

from collections.abc import Sequence

from graph.connection import Reader
from graph.interactions import Ask, TimeOrder, moments_of
from identity.identifiers import ProfileId
from insight.journeys import Moment, Session, sessions_of

LAST = "\U0010ffff"
MOMENTS_AT_ONCE = 250
GROWTH = 4


Place = tuple[ProfileId, int | None]


async def journeys_of(
    reader: Reader, places: Sequence[Place], first: int, idle_minutes: int, order: TimeOrder = TimeOrder.NEWEST
) -> dict[Place, tuple[Session, ...]]:
    """The sessions of each profile behind a moment (µs; None: all), in their order, at most `first`.

    Of the newest it is the start of the last session already shown, of the oldest its end. One statement where 250
    interactions hold the page; else more, each for all profiles still unfinished and four times as long, so their
    number never grows with profiles.
    """
    found: dict[Place, list[Moment]] = {each: [] for each in places}
    open_ = dict.fromkeys(places)
    limit = MOMENTS_AT_ONCE
    while open_:
        read = await moments_of(reader, [_ask(each, found[each], order) for each in open_], limit, order)
        for each in tuple(open_):
            page = read.get(_ask(each, found[each], order), [])
            found[each] += [Moment(at, id_, name, type_) for at, id_, name, type_ in page]
            if len(page) < limit or len(sessions_of(found[each], idle_minutes)) > first:
                del open_[each]
        limit *= GROWTH
    cut = {each: _in_order(sessions_of(moments, idle_minutes), order)[:first] for each, moments in found.items()}
    return {each: sessions for each, sessions in cut.items() if sessions}


def _ask(place: Place, found: Sequence[Moment], order: TimeOrder) -> Ask:
    """What follows the moments already read; before the first reading, all that lies behind the page's moment."""
    profile, moment = place
    if found:
        return Ask(profile, (found[-1].at, found[-1].id))
    if moment is None:
        return Ask(profile)
    return Ask(profile, (moment, "" if order is TimeOrder.NEWEST else LAST))


def _in_order(sessions: tuple[Session, ...], order: TimeOrder) -> tuple[Session, ...]:
    """They are made newest first."""
    return sessions if order is TimeOrder.NEWEST else sessions[::-1]
