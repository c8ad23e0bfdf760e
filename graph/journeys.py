"""Journeys: the newest sessions of a profile, read no further than they reach."""

from collections.abc import Mapping, Sequence

from graph.connection import Reader
from graph.interactions import Ask, moments_of
from identity.identifiers import ProfileId
from insight.journeys import Moment, Session, sessions_of

MOMENTS_AT_ONCE = 250
GROWTH = 4


async def journeys_of(
    reader: Reader, profiles: Sequence[tuple[ProfileId, int | None]], first: int, idle_minutes: int
) -> dict[tuple[ProfileId, int | None], tuple[Session, ...]]:
    """The newest sessions of each profile that end before a moment (µs; None: all), newest first, at most `first`.

    The moment is the start of the last session already shown. One statement where 250 interactions hold the page;
    else more, each for all profiles still unfinished and four times as long, so their number never grows with profiles.
    """
    found: dict[tuple[ProfileId, int | None], list[Moment]] = {each: [] for each in profiles}
    open_ = dict.fromkeys(profiles)
    limit = MOMENTS_AT_ONCE
    while open_:
        read = await moments_of(reader, [_ask(each, found[each]) for each in open_], limit)
        for each in tuple(open_):
            page = read.get(_ask(each, found[each]), [])
            found[each] += [Moment(at, id_, name, type_) for at, id_, name, type_ in page]
            if len(page) < limit or len(sessions_of(found[each], idle_minutes)) > first:
                del open_[each]
        limit *= GROWTH
    return _sessions(found, first, idle_minutes)


def _ask(wanted: tuple[ProfileId, int | None], found: Sequence[Moment]) -> Ask:
    """What follows the moments already read; before the first reading, all that lies before the page's moment."""
    profile, before = wanted
    if found:
        return Ask(profile, (found[-1].at, found[-1].id))
    return Ask(profile) if before is None else Ask(profile, (before, ""))


def _sessions(
    found: Mapping[tuple[ProfileId, int | None], Sequence[Moment]], first: int, idle_minutes: int
) -> dict[tuple[ProfileId, int | None], tuple[Session, ...]]:
    cut = {each: sessions_of(moments, idle_minutes)[:first] for each, moments in found.items()}
    return {each: sessions for each, sessions in cut.items() if sessions}
