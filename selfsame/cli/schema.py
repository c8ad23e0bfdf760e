"""`selfsame schema`: the GraphQL schema as text."""

from resolvers.schema import sdl


def schema() -> None:
    """Print the GraphQL schema in the schema definition language."""
    print(sdl())
