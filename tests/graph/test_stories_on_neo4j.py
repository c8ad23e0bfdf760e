"""The six stories of docs/policy.md end on the real Neo4j as the pure rules say, under each preset and device rule."""

from dataclasses import replace

import pytest

from graph.connection import Connection
from identity.identifiers import IdentifierKey
from identity.messages import Message
from identity.policy import Policy
from identity.policy_text import policy_from_toml
from tests.building import preset, presets
from tests.graph.telling import telling
from tests.identity.stories import alone_on, in_words, outcome, steps_of
from tests.identity.test_policy_docs import PRESETS, STORIES

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

SETTINGS = [
    'devices.rule = "last_authenticated"',
    'devices.rule = "first_only"',
    'namespaces.email.over_active = "apart"',
]
TOLD = [row["told"].strip("`") for row in STORIES]

PEOPLE = """
MATCH (p:Profile)<-[:IDENTIFIES]-(i:Identifier)
WHERE i.value STARTS WITH $mark
RETURN p.id AS id, p.shared AS shared, collect(i.key) AS keys
"""
WHOSE = """
MATCH (x:Interaction {id: $id})-[:BY]->(device)-[:IDENTIFIES]->(own:Profile)
OPTIONAL MATCH (device)-[use:SHARED_BY]->(person:Profile)
WHERE any(n IN range(0, size(coalesce(use.spans, [])) / 2 - 1) WHERE use.spans[2 * n] <= x.at <= use.spans[2 * n + 1])
WITH coalesce(person, own) AS owner
MATCH (owner)<-[:IDENTIFIES]-(i:Identifier {namespace: 'user_id'})
RETURN i.key AS key ORDER BY key LIMIT 1
"""


def under(rule: str) -> Policy:
    if rule in PRESETS:
        return preset(rule)
    return policy_from_toml(f'extends = "default"\nversion = "other"\n{rule}\n', presets())


def marked(step: Message, mark: str, moment: str) -> Message:
    """A message of one story, told apart from those of the others in the same graph."""
    sightings = tuple(replace(each, value=mark + each.value) for each in step.sightings)
    previous = None if step.previous_id is None else mark + step.previous_id
    return replace(step, sightings=sightings, previous_id=previous, message_id=mark + moment)


@pytest.mark.parametrize("rule", [*PRESETS, *SETTINGS])
async def test_the_stories_end_on_neo4j_as_the_rules_say(graph: Connection, rule: str) -> None:
    policy = under(rule)
    teller = await telling(graph, policy)
    stories = {f"{number}-": steps_of(told) for number, told in enumerate(TOLD)}
    await teller.tell([marked(step, mark, at) for mark, steps in stories.items() for at, step in steps.items()])
    ends = [await ended(graph, mark, steps, policy) for mark, steps in stories.items()]
    assert ends == [outcome(told, policy) for told in TOLD]


async def ended(graph: Connection, mark: str, steps: dict[str, Message], policy: Policy) -> str:
    rows = await graph.reader.rows(PEOPLE, mark=mark)
    people = [[plain(key, mark) for key in row["keys"]] for row in rows if not row["shared"]]
    shared = [plain(key, mark) for row in rows if row["shared"] for key in row["keys"]]
    whose = {}
    for moment, device in alone_on(steps, policy).items():
        found = await graph.reader.rows(WHOSE, id=f"web:{mark}{moment}")
        whose[moment] = plain(found[0]["key"], mark) if found else device
    return in_words(people, shared, whose)


def plain(key: str, mark: str) -> IdentifierKey:
    return IdentifierKey(key.replace(mark, "", 1))
