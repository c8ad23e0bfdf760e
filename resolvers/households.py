"""Households: the people who share an email address or a phone with a person."""

from dataclasses import dataclass

import strawberry

from graph.households import HouseholdPage
from graph.households import Housemate as StoredHousemate
from graph.identifiers import StoredIdentifier
from resolvers.identifiers import ContactPoint
from resolvers.nodes import PROFILE
from resolvers.paging import Connection, Counting, Edge, PageInfo, page_of


@strawberry.type(description="Somebody who shares an email address or a phone with a person.")
class Housemate:
    """Somebody who shares a contact point with a person."""

    profile = strawberry.field(graphql_type=PROFILE, description="Who.")
    shared: list[ContactPoint] = strawberry.field(description="What they share, by key; at most 100.")


@strawberry.type(description="One page of a household.")
class Household(Connection[Housemate]):
    """One page of a household."""

    left_out: list[ContactPoint] = strawberry.field(
        description="Addresses and phones that more than 100 people share, which make no household; at most 100."
    )


@dataclass(frozen=True, slots=True)
class HouseholdShown:
    """What is shown as a Household."""

    edges: list[Edge[StoredHousemate]]
    page_info: PageInfo
    left_out: tuple[StoredIdentifier, ...]
    count: Counting


def household_page(found: HouseholdPage | None, first: int, after: str | None, count: Counting) -> HouseholdShown:
    """A page of a household, as it was read by `one_more`."""
    shown = found or HouseholdPage((), ())
    page = page_of(shown.people, first, after, lambda each: (each.profile.id,))
    return HouseholdShown(page.edges, page.page_info, shown.left_out, count)
