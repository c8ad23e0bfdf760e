"""A minimal Strawberry schema, whose only resolver asks one hand-written Cypher; its own ASGI view, caches on."""

from typing import Annotated

import strawberry
from starlette.applications import Starlette
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from bench.rivals.answering import driver, serve
from resolvers.scalars import iso

GRAPH = driver()
PORTRAIT = """
MATCH (:Identifier {key: $key})-[:IDENTIFIES]->(profile:Profile)
CALL (profile) {
  MATCH (profile)<-[:IDENTIFIES]-(identifier:Identifier)
  RETURN collect(identifier {.namespace, .value, .first_seen, .last_seen, labels: labels(identifier)}) AS identifiers
}
CALL (profile) {
  MATCH (profile)<-[:IDENTIFIES]-(identifier:Identifier)
  CALL (identifier) {
    MATCH (each:Interaction)
    USING INDEX SEEK each:Interaction(actor, at, id)
    WHERE each.actor = identifier.key AND each.at IS NOT NULL AND each.id IS NOT NULL
    RETURN each
    ORDER BY each.actor DESC, each.at DESC, each.id DESC
    LIMIT $first
  }
  WITH each
  ORDER BY each.at DESC, each.id DESC
  LIMIT $first
  RETURN collect(each {.id, .at, .type, .name, .channel}) AS interactions
}
RETURN profile {.id, .known} AS profile, identifiers, interactions
"""


@strawberry.type
class Contact:
    """A user id."""

    namespace: str
    value: str


@strawberry.type
class Device:
    """A browser."""

    namespace: str
    value: str
    first_seen: str
    last_seen: str


@strawberry.type
class Interaction:
    """Something that happened."""

    id: strawberry.ID
    at: str
    type: str
    name: str | None
    channel: str | None


@strawberry.type
class Profile:
    """A person."""

    id: strawberry.ID
    known: bool
    contacts: list[Contact]
    devices: list[Device]
    interactions: list[Interaction]


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def profile(self, key: str, first: Annotated[int, strawberry.argument()] = 20) -> Profile | None:
        """The person with an identifier."""
        async with GRAPH.session(database="neo4j", default_access_mode="READ") as session:
            result = await session.run(PORTRAIT, key=key, first=first)
            row = await result.single()
        if row is None:
            return None
        return Profile(
            id=row["profile"]["id"],
            known=row["profile"]["known"],
            contacts=[
                Contact(namespace=each["namespace"], value=each["value"])
                for each in row["identifiers"]
                if "Contact" in each["labels"]
            ],
            devices=[
                Device(
                    namespace=each["namespace"],
                    value=each["value"],
                    first_seen=iso(each["first_seen"]),
                    last_seen=iso(each["last_seen"]),
                )
                for each in row["identifiers"]
                if "Device" in each["labels"]
            ],
            interactions=[Interaction(**{**each, "at": iso(each["at"])}) for each in row["interactions"]],
        )


VIEW = GraphQL(strawberry.Schema(Query, extensions=[ParserCache, ValidationCache]))
APP = Starlette()
APP.mount("/graphql", VIEW)
serve("Strawberry", APP)
