"""Fernhill: a made-up outdoor shop with a wholesale arm, the same on every run.

    python -m selfsame.demo.fernhill DIR

writes what the shop's systems tell of about 500 people: web.jsonl, contacts.csv, accounts.csv, deals.csv,
receipts.jsonl and orders.jsonl. Everything is drawn from one seed; its days lie between March and June 2026.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfsame.demo import cast
from selfsame.demo.company import Company, Named, Person, Story
from selfsame.demo.crm import crm_files
from selfsame.demo.population import drawn_accounts, drawn_people
from selfsame.demo.stories import stories
from selfsame.demo.till import json_lines, till_files
from selfsame.demo.visits import Call
from selfsame.demo.web import segment_message, web_calls

__all__ = [
    "Call",
    "Company",
    "Story",
    "TruePerson",
    "Truth",
    "crm_files",
    "fernhill",
    "till_files",
    "truth",
    "web_calls",
]

SEED = 20_260_302
KIOSK_USERS = 30


@dataclass(frozen=True, slots=True)
class TruePerson:
    """One real person and the identifiers that are hers alone, in normalised form; some of them no record mentions."""

    key: str
    name: str
    identifiers: frozenset[Named]


@dataclass(frozen=True, slots=True)
class Truth:
    """What no record says: who everybody is.

    shared: the identifiers that belong to several people, with the keys of these. stories: by key, `heroine` first.
    """

    people: tuple[TruePerson, ...]
    shared: Mapping[Named, tuple[str, ...]]
    stories: Mapping[str, Story]


def fernhill(seed: int = SEED) -> Company:
    """The company; equal seeds give equal companies."""
    accounts = (*cast.ACCOUNTS, *drawn_accounts(seed))
    crowd = drawn_people(seed, accounts[len(cast.ACCOUNTS) :])
    told = stories(_kiosk_users(crowd))
    return Company(seed, (*cast.PEOPLE, *crowd), accounts, {story.key: story for story in told})


def _kiosk_users(crowd: Sequence[Person]) -> Sequence[Person]:
    """Thirty of those with a user id, from all over the crowd."""
    online = [person for person in crowd if person.user_id]
    return online[:: len(online) // KIOSK_USERS][:KIOSK_USERS]


def truth(company: Company) -> Truth:
    """Every true person with her identifiers, the shared ones apart, and the stories to ask about."""
    shared = {
        named: tuple(person.key for person in story.people)
        for story in company.stories.values()
        for named in story.shared
    }
    people = tuple(
        TruePerson(person.key, person.name, frozenset(person.names - shared.keys())) for person in company.people
    )
    return Truth(people, shared, company.stories)


def write_files(company: Company, folder: Path) -> tuple[Path, ...]:
    """Write every file into a folder, which is made where it is missing. Raises OSError. May run twice."""
    texts = {
        "web.jsonl": json_lines(segment_message(call) for call in web_calls(company)),
        **crm_files(company),
        **till_files(company),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder / name for name in texts)


def main(arguments: Sequence[str]) -> int:
    """Write all files into the named folder and name them; 2 when it was called wrongly, 1 when it cannot write."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m selfsame.demo.fernhill DIR\n")
        return 2
    try:
        written = write_files(fernhill(), Path(arguments[0]))
    except OSError as error:
        sys.stderr.write(f"{arguments[0]}: cannot write here: {error.strerror}\n")
        return 1
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
