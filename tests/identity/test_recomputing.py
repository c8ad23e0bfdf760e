"""The rule on columns gives what the rule on values gives."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Act, Kind, LinkId, Reason
from identity.messages import Message
from identity.policy import Policy
from identity.recomputing import Columns, Recomputed, recompute
from identity.stitching import Evidence, Stitching, stitch
from tests.identity.histories import some_overridden_history, some_steps
from tests.identity.memory import history_of
from tests.identity.policies import some_policy


def columns_of(evidence: Evidence) -> Columns:
    columns = Columns()
    for known in evidence.identifiers.values():
        columns.add_identifier(known)
    for link in evidence.links:
        if link.kind is not Kind.MANUAL:
            columns.add_link(link.id, link.authority, link.first_seen, sure=link.sure)
    return columns


def plain(columns: Columns, found: Recomputed) -> tuple[object, ...]:
    parts = defaultdict(set)
    for number, part in enumerate(found.parts):
        parts[part].add(columns.keys[number])
    refused: dict[LinkId, Reason] = {columns.id_of(link): why for link, why in found.refused.items()}
    generic = {columns.keys[number]: why for number, why in found.generic.items()}
    return sorted(map(sorted, parts.values())), refused | dict(found.manual), generic


def expected(columns: Columns, found: Stitching) -> tuple[object, ...]:
    generic = {key: why for key, why in found.generic.items() if key in columns.numbers}
    return sorted(list(each.members) for each in found.clusters.values()), dict(found.refused), generic


@given(some_steps | some_overridden_history(), some_policy, st.sampled_from([2, 3, 5, 1_000]))
def test_a_history_in_columns_is_stitched_as_the_rule_says(
    steps: list[Message | Act], some: Policy, limit: int
) -> None:
    policy = replace(some, profile_limit=limit)
    evidence = history_of(*steps, policy=policy).evidence()
    columns = columns_of(evidence)
    assert plain(columns, recompute(columns, evidence.acts, policy)) == expected(columns, stitch(evidence, policy))
