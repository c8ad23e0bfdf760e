"""A history that is gathered and stitched as a whole says the same of people as one that is stitched batch by batch."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from graph.first_load.gathering import Gathering
from graph.first_load.stitching import Stitched, people_of, stitched
from graph.first_load.writing import together
from graph.ingestion import Status
from identity.evidence import Link, LinkId, Reason
from identity.messages import Authority, Message
from identity.policy import Policy
from identity.survivorship import surviving
from tests.building import alias, default_policy, identify, minting, track
from tests.identity.histories import some_two_orders
from tests.identity.memory import History, traits_of
from tests.identity.policies import some_policy
from tests.identity.test_restitching import told_afresh

NOW = 1_790_000_000_000_000


def gathered(messages: list[Message], gathering: Gathering) -> Stitched:
    mints = minting()
    for start in range(0, len(messages), 3):
        gathering.take(messages[start : start + 3])
    gathering.settle()
    return stitched(gathering, gathering.policy, lambda: next(mints))


def told(gathering: Gathering, found: Stitched, policy: Policy) -> tuple[object, ...]:
    """People by their identifiers with what is known of them, links with their verdicts, generic ones, traits."""
    keys, parts = found.columns.keys, found.parts.tolist()
    members: defaultdict[int, list[str]] = defaultdict(list)
    for number, key in enumerate(keys):
        members[parts[number]].append(key)
    own = people_of(found, gathering.identifiers, policy)
    shared = {parts[number] for number in found.found.generic}
    groups = {tuple(sorted(some)): (bool(own.known[part]), part in shared) for part, some in members.items()}
    links: dict[LinkId, Link] = {}
    verdicts: dict[LinkId, Reason | None] = {}
    for link, why in found.verdicts():
        links[link.id], verdicts[link.id] = link, why
    observed = defaultdict(list)
    for part in gathering.values.parts():
        for actor, each in together(part):
            observed[parts[actor]].append(each)
    traits = {
        tuple(sorted(members[part])): {name: each.value for name, each in surviving(some, policy).items()}
        for part, some in observed.items()
    }
    return groups, links, verdicts, {keys[number]: why for number, why in found.found.generic.items()}, traits


@settings(max_examples=60)
@given(some_two_orders(), some_policy)
def test_a_history_gathered_as_a_whole_gives_the_people_that_batches_give(
    orders: tuple[list[Message], list[Message]], policy: Policy
) -> None:
    one, other = orders
    history = told_afresh(one, policy)
    with TemporaryDirectory() as folder, Gathering(Path(folder), policy, NOW) as gathering:
        found = gathered(other, gathering)
        groups, links, verdicts, generic, traits = told(gathering, found, policy)
    assert groups == {each.members: (each.known, each.shared) for each in history.clusters.values()}
    assert (links, verdicts, generic) == (history.links, history.verdicts, history.generic)
    assert {keys: some for keys, some in traits.items() if some} == _shown(history)


def _shown(history: History) -> dict[tuple[str, ...], dict[str, object]]:
    return {keys: some for keys, some in traits_of(history).items() if some}


@pytest.fixture
def gathering(tmp_path: Path) -> Iterator[Gathering]:
    with Gathering(tmp_path, default_policy(), NOW) as made:
        yield made


def test_a_repeat_changes_nothing_and_one_with_another_text_is_counted(gathering: Gathering) -> None:
    first = identify("u1", "a1", at=1, id="m1")
    again = identify("u1", "a1", at=1, id="m1", email="e@x.com")
    outcomes = [*gathering.take([first, first]), *gathering.take([again, track("a2", id="m2")])]
    assert [each.status for each in outcomes] == [
        Status.COMMITTED, Status.REPEAT, Status.REPEAT_DIFFERS, Status.COMMITTED
    ]  # fmt: skip
    assert gathering.differing == {"web:m1": 1}
    assert gathering.identifiers.keys == ["user_id:u1", "anonymous_id:a1", "anonymous_id:a2"]


def test_who_names_nobody_is_rejected_each_time(gathering: Gathering) -> None:
    nobody = identify("null", id="m1")
    assert [each.status for each in gathering.take([nobody, nobody])] == [Status.REJECTED, Status.REJECTED]
    assert gathering.tables.nodes == 0


def test_what_a_previous_id_meant_keeps_its_place_when_it_turns_out_to_be_a_user(gathering: Gathering) -> None:
    gathering.take([alias("u0", "u1", at=1), identify("u2", at=2), identify("u0", at=3, authority=Authority.VERIFIED)])
    assert gathering.identifiers.keys == ["user_id:u1", "user_id:u0", "user_id:u2"]
    assert gathering.identifiers.minted_by[1] == ""
    assert list(gathering.identifiers.sighted) == [1, 1, 1]
