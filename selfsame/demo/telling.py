"""What the demo says: answers as lines for a terminal of 80 columns, and what in them contradicts the truth."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from graph.census import Census
from selfsame.demo.cast import ADA, NORTHGATE_CLIMBING, NORTHGATE_GROUP
from selfsame.demo.fernhill import Truth
from selfsame.demo.judging import Judgement
from selfsame.demo.questions import HerAccount, HerStory, Interaction, Session, Sharing, WhoShares, WhyNot, WhyOne

WIDTH = 78
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Told:
    """Lines to print, and a sentence for each contradiction of the truth."""

    lines: tuple[str, ...]
    wrong: tuple[str, ...] = ()


def paragraph(text: str, indent: str = INDENT, hanging: str = "") -> list[str]:
    """A text as lines that fit; hanging: what the later lines are indented by more."""
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + hanging, break_on_hyphens=False)


def people_told(records: int, found: Census, judgement: Judgement) -> Told:
    """What so many records became, and how far that is the truth."""
    lines = [
        f"{INDENT}{records:,} records became",
        f"{INDENT * 2}{found.known:>5,} people who are known by something, and {found.anonymous} anonymous visitors,",
        f"{INDENT * 2}{found.devices:>5,} devices and {found.accounts} accounts;",
        f"{INDENT * 2}{found.shared:>5,} identifiers belong to several people and join nobody.",
        "",
        *paragraph(
            f"The generator knows who everybody is, and no record says it. Of {judgement.people} true people "
            f"{judgement.whole} were found whole: all that is known of each is one profile. {judgement.parted} are in "
            f"{judgement.parts} pieces that no record ties together, such as a card never shown with an email; of "
            f"{judgement.lone} of them only a device is apart on which nobody ever signed in. "
            f"{_never(judgement)}"
        ),
    ]
    unmet = (f"{judgement.unmet} true people were met by no record",) if judgement.unmet else ()
    return Told(tuple(lines), (*judgement.confused, *unmet))


def _never(judgement: Judgement) -> str:
    if judgement.confused:
        return f"Wrongly joined: {len(judgement.confused)}."
    return "No two people were wrongly joined."


def story_told(answer: HerStory) -> Told:
    """Her journey, session by session, the earliest first."""
    her = answer.profile
    name = " ".join(each.value for each in her.called)
    happened = sorted(her.interactions, key=lambda each: each.at)
    lines = [
        f"{INDENT}{name}, known by {len(her.identifiers.edges)} identifiers, {len(her.sessions.edges)} sessions:",
        "",
    ]
    for session in reversed(list(her.sessions)):
        within = [each for each in happened if session.start <= each.at <= session.end]
        lines += _session_told(session, within)
    alone = {each.actor.value for each in happened if each.actor.namespace == "anonymous_id"}
    lines += ["", *paragraph(f"On {len(alone)} devices she was unknown at first; what she did there is hers since.")]
    found = {(each.namespace, each.value) for each in her.identifiers}
    wrong = [] if found == ADA.names else [f"{name} has other identifiers than she should: {sorted(found ^ ADA.names)}"]
    wrong += [] if len(alone) == len(ADA.devices) else [f"{name} was met unknown on {len(alone)} devices"]
    return Told(tuple(lines), tuple(wrong))


DEVICES = frozenset({"anonymous_id", "device_id"})
# Sources and types of messages, each with the words for where one was met; the first that is there counts.
PLACES = {
    "till": "at the till",
    "crm": "in the CRM",
    "screen": "in the app",
    "page": "on the web",
    "orders": "by phone",
}
SAID = frozenset({"identify", "group", "alias"})


def _session_told(session: Session, within: Sequence[Interaction]) -> list[str]:
    words = {word for each in within for word in (each.source, each.type.lower())}
    place = next((shown for word, shown in PLACES.items() if word in words), "")
    names = [each for each in session.names if each not in SAID] or ["her record changes"]
    start = f"{INDENT}{session.start:%d %b %H:%M}  {place:<11}  {_known(within):<12}  "
    return wrap(", ".join(names), WIDTH, initial_indent=start, subsequent_indent=" " * len(start))


def _known(within: Sequence[Interaction]) -> str:
    devices = [each.actor.namespace in DEVICES for each in within]
    if all(devices):
        return "unknown"
    return "recognised" if any(devices) else "known"


def why_told(answer: WhyOne) -> Told:
    """Why the laptop's first, anonymous visit and the card at the till are one person's."""
    wrong = () if answer.why_same.same else ("the heroine's laptop and her loyalty card are not one person",)
    return Told(tuple(paragraph(answer.why_same.sentence)), wrong)


def refusals_told(answer: WhyNot) -> Told:
    """Merges that were refused: by a friend's laptop, and by what a couple shares."""
    links = answer.spouses.refused
    shared = sorted({f"{each.namespace} {each.value}" for link in links for each in link.generic})
    lines = [
        *paragraph("Jonas Weir opened his sign-in link on the laptop of Theo Lang, who was signed in:"),
        "",
        *paragraph(answer.friends.sentence, INDENT * 2),
        "",
        *paragraph(
            f"Marta and Owen Fairley use one address. {len(links)} links lead to it, all of them refused, because "
            f"{' and '.join(shared)} has several users and so tells nobody apart. They stay two people."
        ),
    ]
    joined = {"Theo Lang and Jonas Weir": answer.friends, "Marta and Owen Fairley": answer.spouses}
    return Told(tuple(lines), tuple(f"{who} became one person" for who, found in joined.items() if found.same))


def sharing_told(answer: WhoShares, truth: Truth) -> Told:
    """Who uses the family's tablet and the shop's kiosk."""
    devices = {
        "family_tablet": ("The tablet in a kitchen", answer.tablet),
        "kiosk": ("The kiosk in the shop", answer.kiosk),
    }
    lines: list[str] = []
    wrong: list[str] = []
    for story, (what, device) in devices.items():
        people = truth.stories[story].people
        lines += paragraph(f"{what}: {_users(device.profile)}.", hanging=INDENT)
        if not device.profile.shared or device.profile.shared_by.total_count != len(people):
            wrong.append(f"{what} has {device.profile.shared_by.total_count} users instead of {len(people)}")
    return Told(tuple(lines), tuple(wrong))


def _users(sharing: Sharing) -> str:
    names = [edge.node.name for edge in sharing.shared_by.edges]
    more = sharing.shared_by.total_count - len(names)
    shown = ", ".join(names) + f" and {more} more" if more else " and ".join(names)
    return f"shared by {sharing.shared_by.total_count} people, {shown}; it joins none of them"


def account_told(answer: HerAccount) -> Told:
    """Her company, what it is part of, and who else works there."""
    accounts = [each.account for each in answer.profile.accounts]
    above = [f"{each.name}, part of {each.parent.name}" if each.parent else each.name for each in accounts]
    people = sorted((each.name, each.title.value if each.title else "") for each in answer.profile.colleagues)
    lines = [f"{INDENT}{ADA.name} buys for {'; '.join(above)}.", f"{INDENT}Her colleagues there:"]
    lines += [f"{INDENT * 2}{name:<20} {title}".rstrip() for name, title in people]
    return Told(tuple(lines), tuple(_wrong_account(answer, {name for name, _ in people})))


def _wrong_account(answer: HerAccount, colleagues: set[str]) -> Iterator[str]:
    expected = [(NORTHGATE_CLIMBING.name, NORTHGATE_GROUP.name)]
    found = [(each.account.name, each.account.parent and each.account.parent.name) for each in answer.profile.accounts]
    if found != expected:
        yield f"{ADA.name} belongs to {found} instead of {expected}"
    if colleagues != COLLEAGUES:
        yield f"{ADA.name} has the colleagues {sorted(colleagues)} instead of {sorted(COLLEAGUES)}"


COLLEAGUES = frozenset({"Bram Solberg", "Priya Nandakumar", "Callum Reyes"})


def query_shown(query: str) -> Iterable[str]:
    """A query as it is printed."""
    return (f"{INDENT}{line}" for line in query.splitlines())
