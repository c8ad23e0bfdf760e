"""Random histories: messages over few identifiers, so that they collide, with repeats, late events and manual acts."""

from dataclasses import replace

from hypothesis import strategies as st

from identity.evidence import Act, ActId, ActKind, sha256_of
from identity.messages import Authority, Message, MessageKind, micros
from tests.building import act, after, merged, message

USERS = [("user_id", f"u{number}") for number in range(4)]
CONTACTS = [("crm", f"c{number}") for number in range(3)]
EMAILS = [("email", f"e{number}@x.com") for number in range(3)]
HASHES = [("email_sha256", sha256_of("e0@x.com"))]
PHONES = [("phone", "+491712345678")]
DEVICES = [("anonymous_id", f"a{number}") for number in range(5)]
# Ids that somebody sent in the wrong place: what a previousId means turns on them.
CROSSED = [("user_id", "a0"), ("anonymous_id", "u0"), ("anonymous_id", "u1")]

some_identifiers = st.lists(
    st.sampled_from(USERS + CONTACTS + EMAILS + HASHES + PHONES + DEVICES + CROSSED),
    min_size=1,
    max_size=4,
    unique=True,
)
some_authority = st.sampled_from(
    [Authority.CLAIMED, Authority.CLAIMED, Authority.VERIFIED, Authority.IMPORTED, Authority.UNVERIFIED]
)
some_moment = st.one_of(st.integers(0, 50).map(float), st.none())
some_traits = st.dictionaries(
    st.sampled_from(["name", "city", "consent.ads"]), st.sampled_from(["x", "y", None, 3]), max_size=2
)
some_id = st.integers(0, 10**9).map(str)


@st.composite
def some_message(draw: st.DrawFn) -> Message:
    moment, name = draw(some_moment), draw(some_id)
    if draw(st.integers(0, 5)) == 0:
        previous = draw(st.sampled_from(["u0", "u1", "u2", "a0", "a1", "a2"]))
        end = draw(st.sampled_from(USERS + DEVICES + CROSSED))
        return message(MessageKind.ALIAS, [end], at=moment, previous=previous, id=name)
    authority, traits = draw(some_authority), draw(some_traits)
    if draw(st.integers(0, 7)) == 0:
        return draw(some_merge(moment, name))
    return message(MessageKind.IDENTIFY, draw(some_identifiers), at=moment, authority=authority, traits=traits, id=name)


@st.composite
def some_merge(draw: st.DrawFn, moment: float | None, name: str) -> Message:
    """A source says that it merged one of its records into another."""
    into, away = draw(st.lists(st.sampled_from(CONTACTS), min_size=2, max_size=2, unique=True))
    authority = draw(st.sampled_from([Authority.IMPORTED, Authority.IMPORTED, Authority.VERIFIED]))
    return merged([away], into, at=moment, id=name, authority=authority)


@st.composite
def some_act(draw: st.DrawFn) -> Act:
    kind = draw(st.sampled_from([ActKind.SAME, ActKind.DIFFERENT, ActKind.DIFFERENT, ActKind.OVERRIDE]))
    pool = [":".join(each) for each in (USERS if kind is ActKind.OVERRIDE else USERS + CONTACTS + EMAILS + DEVICES)]
    a, b = draw(st.lists(st.sampled_from(pool), min_size=2, max_size=2, unique=True))
    return act(kind, a, b, at=draw(st.integers(0, 50)), id=draw(some_id))


@st.composite
def some_decisions(draw: st.DrawFn) -> list[Message | Act]:
    """Messages and manual acts in which acts, and undos among them, are taken back."""
    steps: list[Message | Act] = []
    for number in range(draw(st.integers(4, 16))):
        acts = [each for each in steps if isinstance(each, Act)]
        kind = draw(st.integers(0, 3))
        if kind == 0 and acts:
            taken = draw(st.sampled_from(acts))
            undo = act(ActKind.UNDO, taken.a, taken.b, at=number, id=f"undo {number:02d}", undoes=taken.id)
            steps.append(undo)
        elif kind == 1:
            steps.append(replace(draw(some_act()), at=micros(after(number)), id=ActId(f"act {number:02d}")))
        else:
            steps.append(draw(some_message()))
    return steps


some_history = st.lists(some_message(), min_size=1, max_size=14, unique_by=lambda each: each.id)
some_steps = st.lists(st.one_of(some_message(), some_message(), some_act()), min_size=1, max_size=20)


@st.composite
def some_two_orders(draw: st.DrawFn) -> tuple[list[Message], list[Message]]:
    """One history twice, in two orders, the second with some messages repeated."""
    messages = draw(some_history)
    repeated = draw(st.lists(st.sampled_from(messages), max_size=3))
    return messages, draw(st.permutations([*messages, *repeated]))


@st.composite
def some_overridden_history(draw: st.DrawFn) -> list[Message | Act]:
    """Users who share things, and overrides between them in chains, made and taken back."""
    steps: list[Message | Act] = [message(MessageKind.IDENTIFY, [user], at=0.0) for user in USERS]
    kinds = st.sampled_from([ActKind.OVERRIDE, ActKind.OVERRIDE, ActKind.OVERRIDE, ActKind.DIFFERENT])
    users = st.lists(st.sampled_from(USERS), min_size=2, max_size=2, unique=True)
    things = st.sampled_from(EMAILS[:1] + DEVICES[:2])
    for number in range(draw(st.integers(3, 14))):
        (one, other), moment = draw(users), draw(st.integers(0, 9))
        if draw(st.booleans()):
            steps.append(act(draw(kinds), ":".join(one), ":".join(other), at=moment, id=f"{number:02d}"))
        else:
            steps.append(message(MessageKind.IDENTIFY, [one, draw(things)], at=float(moment), id=str(number)))
    return steps


def minted_first(messages: list[Message]) -> list[Message]:
    """One message for each identifier that a history can meet, so that all are minted in one order whatever follows."""
    met = {(each.namespace, each.value) for one in messages for each in one.sightings}
    met |= {("anonymous_id", one.previous_id) for one in messages if one.previous_id}
    return [message(MessageKind.TRACK, [each], id=f"first {each}") for each in sorted(met)]
