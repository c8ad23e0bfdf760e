"""Stories as the catalogue of cases writes them, told to the pure rules: `t(a1)@1, i(u1,a1)@2, al(u1->u2)@3h`.

`i` identifies, `t` tracks, `al` is an alias; u: user id (u1, or u: and a value), a: anonymous id,
e: email (e1, or e: and an address);
@: minutes, or hours with h. An outcome names the people, what is shared, and whose each anonymous `t` on a device is.
"""

import re
from collections.abc import Iterable, Mapping

from identity.device_use import Happening, uses_of
from identity.identifiers import IdentifierKey, namespace_of, role_of
from identity.messages import Message, MessageKind, micros
from identity.policy import Policy, Role
from tests.building import message
from tests.identity.memory import History, history_of

STEP = re.compile(r"(i|t|al)\(([^)]*)\)@(\d+)(h?)")
NAMESPACES = {"u": "user_id", "a": "anonymous_id", "e": "email"}


def outcome(story: str, policy: Policy) -> str:
    """«{u1} {u2}; shared a1; @3 u1»: what the rules make of a story."""
    steps = steps_of(story)
    made = history_of(*steps.values(), policy=policy)
    people = [each.members for each in made.clusters.values() if not each.shared]
    whose = {moment: _owner(key, steps[moment], steps, made, policy) for moment, key in alone_on(steps, policy).items()}
    return in_words(people, made.generic, whose)


def in_words(
    people: Iterable[Iterable[IdentifierKey]], shared: Iterable[IdentifierKey], whose: Mapping[str, IdentifierKey]
) -> str:
    """An outcome as a story tells it. whose: by the moment of an interaction."""
    told = sorted("{" + " ".join(map(_short, sorted(members))) + "}" for members in people)
    common = sorted(map(_short, shared))
    acted = [f"{moment} {_short(key)}" for moment, key in whose.items()]
    return "; ".join([" ".join(told), *([f"shared {' '.join(common)}"] if common else []), *acted])


def steps_of(story: str) -> dict[str, Message]:
    """The messages of a story by their moments, as they are written in it."""
    return {moment: _step(*found) for moment, found in _steps(story)}


def _steps(story: str) -> list[tuple[str, tuple[str, str, float]]]:
    found = STEP.findall(story)
    assert len(found) == len(re.findall(r"\)@", story)), story
    return [(f"@{at}{h}", (verb, said, float(at) * (60 if h else 1))) for verb, said, at, h in found]


def _step(verb: str, said: str, at: float) -> Message:
    if verb == "al":
        previous, _, end = said.partition("->")
        return message(MessageKind.ALIAS, [_named(end)], at=at, previous=previous)
    kind = MessageKind.TRACK if verb == "t" else MessageKind.IDENTIFY
    return message(kind, [_named(each) for each in said.split(",")], at=at)


def _named(word: str) -> tuple[str, str]:
    if word.startswith("e:"):
        return "email", word[2:]
    if word.startswith("u:"):
        return "user_id", word[2:]
    return NAMESPACES[word[0]], f"{word}@x.com" if word[0] == "e" else word


def _short(key: IdentifierKey) -> str:
    return key.partition(":")[2].removesuffix("@x.com")


def alone_on(steps: Mapping[str, Message], policy: Policy) -> dict[str, IdentifierKey]:
    """The anonymous interactions by their moments, with the device of each."""
    found = {}
    for moment, step in steps.items():
        keys = [IdentifierKey(f"{each.namespace}:{each.value}") for each in step.sightings]
        if step.kind is MessageKind.TRACK and [role_of(key, policy) for key in keys] == [Role.DEVICE]:
            found[moment] = keys[0]
    return found


def _owner(
    device: IdentifierKey, step: Message, steps: dict[str, Message], made: History, policy: Policy
) -> IdentifierKey:
    if device not in made.generic:
        members = made.clusters[made.profile_of[device]].members
        return next((key for key in members if namespace_of(key) == "user_id"), device)
    on_it = [each for each in steps.values() if device in {f"{one.namespace}:{one.value}" for one in each.sightings}]
    happened = [Happening(micros(each.at), each.id, each.name, _persons(each, policy)) for each in on_it]
    uses = uses_of(happened, made.generic, policy)
    return next((use.person for use in uses if use.start <= micros(step.at) <= use.end), device)


def _persons(step: Message, policy: Policy) -> tuple[IdentifierKey, ...]:
    keys = [IdentifierKey(f"{each.namespace}:{each.value}") for each in step.sightings]
    return tuple(key for key in keys if role_of(key, policy) is not Role.DEVICE)
