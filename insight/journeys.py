"""Journeys: a profile's interactions as sessions, runs without a long pause."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MICROS_PER_MINUTE = 60_000_000


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

    names: what happened, each once, in the order of their first time.
    """

    start: int
    end: int
    count: int
    names: tuple[str, ...]


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
    return Session(run[0].at, run[-1].at, len(run), tuple(dict.fromkeys(each.label for each in run)))
