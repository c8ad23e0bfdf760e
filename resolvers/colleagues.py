"""People of accounts as a page: whose cursors hold where somebody stands among them, not who she is."""

from graph.members import Colleagues
from graph.profiles import Profile
from resolvers.paging import Connection, Counting, page_of, stopped_at


def colleagues_page(
    page: Colleagues | None, first: int, after: str | None, count: Counting | None = None
) -> Connection[Profile]:
    """The page of what was read by `one_more`; it may be short, and says then where the next one goes on."""
    found = page or Colleagues(())
    places = {each.profile.id: (each.place,) for each in found.found}
    people = [each.profile for each in found.found]
    shown = page_of(people, first, after, lambda profile: places[profile.id], count)
    return stopped_at(shown, (found.end,) if found.end else None, after)
