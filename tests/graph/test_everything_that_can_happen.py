"""Whatever happens, in whatever order: what is stored follows from the evidence, and no id is ever lost."""

import asyncio

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.graph.happenings import EverythingThatCanHappen
from tests.serving import Neo4jAddress

pytestmark = pytest.mark.neo4j

# A step costs a good tenth of a second, most of it to recompute everything; `prove` asks for thirty times as many.
FEW = settings(
    max_examples=max(3, settings.default.max_examples // 30),  # type: ignore[union-attr]  # a profile is loaded
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_whatever_happens_what_is_stored_follows_from_the_evidence(neo4j_server: Neo4jAddress) -> None:
    with asyncio.Runner() as runner:
        run_state_machine_as_test(lambda: EverythingThatCanHappen(runner, neo4j_server), settings=FEW)  # type: ignore[no-untyped-call]  # Hypothesis says nothing of it
