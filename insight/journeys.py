"""Journeys: a profile's interactions as sessions, runs without a long pause, and the touchpoints in them.

A touchpoint is an interaction that counts for attribution, because it says from where the person came: by a campaign,
as Segment's `context.campaign` or as `utm_` parameters, or by a referrer of another site. Pages go on saying the same,
so it counts only where the origin is another than the one before in the session. A session in which nothing says it
has one touchpoint all the same, its first interaction: she came directly.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import parse_qs, urlsplit

from identity.messages import Json
from insight.channels import Channel, channel_of
from insight.things import text_in

MICROS_PER_MINUTE = 60_000_000
Facts = Mapping[str, Json]
MOST_NAMES = 100  # of what happened in a session
PARTS = ("source", "medium", "name", "term", "content")


@dataclass(frozen=True, slots=True)
class Moment:
    """What a journey looks at in one interaction. at: the shown moment in µs."""

    at: int
    id: str
    name: str | None
    type: str

    @property
    def label(self) -> str:
        """The name, or the type where nothing is named."""
        return self.name or self.type


@dataclass(frozen=True, slots=True)
class Session:
    """A run of interactions without a pause longer than the idle minutes. start, end: its first and last moment in µs.

    names: what happened, each once, in the order of their first time, at most 100. moments: all of it, in that of time.
    """

    start: int
    end: int
    count: int
    names: tuple[str, ...]
    moments: tuple[Moment, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """What was sent with an interaction, as far as it says from where somebody came."""

    id: str
    properties: Facts
    context: Facts


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """An interaction that counts for attribution. referrer: the address of the page that led to it."""

    id: str
    channel: Channel
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    referrer: str | None = None


def sessions_of(moments: Iterable[Moment], idle_minutes: int) -> tuple[Session, ...]:
    """The sessions of some interactions, whatever their order, newest first.

    A pause of exactly the idle minutes does not end a session. Every interaction is in one session. Cost: one sort.
    """
    idle = idle_minutes * MICROS_PER_MINUTE
    runs: list[list[Moment]] = []
    for each in sorted(moments, key=lambda moment: (moment.at, moment.id)):
        if runs and each.at - runs[-1][-1].at <= idle:
            runs[-1].append(each)
        else:
            runs.append([each])
    return tuple(_session(run) for run in reversed(runs))


def _session(run: Sequence[Moment]) -> Session:
    names = islice(dict.fromkeys(each.label for each in run), MOST_NAMES)
    return Session(run[0].at, run[-1].at, len(run), tuple(names), tuple(run))


def touchpoints_of(session: Iterable[Said]) -> tuple[Touchpoint, ...]:
    """The touchpoints among the interactions of a session, given in the order of time."""
    found: list[Touchpoint] = []
    last: tuple[object, ...] | None = None
    said = list(session)
    for each in said:
        touch = _touch(each)
        if touch is not None and (origin := _origin(touch)) != last:
            found.append(touch)
            last = origin
    if said and not found:
        found.append(Touchpoint(said[0].id, Channel.DIRECT))
    return tuple(found)


def _origin(touch: Touchpoint) -> tuple[object, ...]:
    return touch.source, touch.medium, touch.campaign, touch.term, touch.content


def _touch(said: Said) -> Touchpoint | None:
    """What one interaction says of the way by which somebody came; None where it says nothing."""
    url, referrer = _page(said, "url"), _outside(said)
    source, medium, campaign, term, content = (_campaign(said, part, url) for part in PARTS)
    host = _host(referrer)
    if not (source or medium or campaign or host):
        return None
    if not (source or medium or campaign):
        source = host
    return Touchpoint(said.id, channel_of(source, medium, campaign), source, medium, campaign, term, content, referrer)


def _campaign(said: Said, part: str, url: str | None) -> str | None:
    """A part of the campaign: of Segment's object, of Snowplow's columns, or of the parameters of the address."""
    campaign = said.context.get("campaign")
    utm = "utm_campaign" if part == "name" else f"utm_{part}"
    if isinstance(campaign, dict):
        return text_in(campaign, part)
    flat = "campaign" if part == "name" else f"campaign_{part}"
    return text_in(said.context, flat) or text_in(said.properties, utm) or _parameter(url, utm)


def _parameter(url: str | None, name: str) -> str | None:
    if not url or "utm_" not in url:
        return None
    try:
        return next(iter(parse_qs(urlsplit(url).query, max_num_fields=100).get(name, ())), None)
    except ValueError:
        return None


def _outside(said: Said) -> str | None:
    """The referrer, where it is a page of another site."""
    referrer = _page(said, "referrer")
    host = _host(referrer)
    return referrer if host and host != _host(_page(said, "url")) else None


def _page(said: Said, name: str) -> str | None:
    page = said.context.get("page")
    return text_in(said.properties, name) or (text_in(page, name) if isinstance(page, dict) else None)


def _host(url: str | None) -> str | None:
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None
