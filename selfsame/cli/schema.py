"""`selfsame schema`: what the service answers to, as text: GraphQL's schema, or the description of its HTTP edges."""

from typing import Annotated

import typer

from resolvers.schema import sdl
from selfsame.openapi import openapi_text


def schema(http: Annotated[bool, typer.Option("--http", help="All of HTTP, as OpenAPI 3.1.")] = False) -> None:
    """Print the GraphQL schema in the schema definition language."""
    print(openapi_text() if http else sdl(), end="" if http else "\n")
