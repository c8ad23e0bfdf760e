"""How much there is of everything, in the words of a person: for those who want to know what their records became."""

from dataclasses import dataclass

from graph.connection import Reader

# Counts from the store's own statistics, and one label scan, of profiles.
CENSUS = """
CALL () {
  MATCH (:Interaction)
  RETURN count(*) AS interactions
}
CALL () {
  MATCH (:Device)
  RETURN count(*) AS devices
}
CALL () {
  MATCH (:Account)
  RETURN count(*) AS accounts
}
CALL () {
  MATCH (profile:Profile)
  RETURN
    count(CASE WHEN profile.known AND NOT profile.shared THEN 1 END) AS known,
    count(CASE WHEN NOT profile.known AND NOT profile.shared THEN 1 END) AS anonymous,
    count(CASE WHEN profile.shared THEN 1 END) AS shared
}
RETURN interactions, known, anonymous, shared, devices, accounts
"""


@dataclass(frozen=True, slots=True)
class Census:
    """How much there is. known: people with a name in some source; anonymous: those met on a device alone.

    shared: identifiers that belong to several people. devices: the shared ones among them.
    """

    interactions: int
    known: int
    anonymous: int
    shared: int
    devices: int
    accounts: int


async def census(reader: Reader) -> Census:
    """How much there is now. One statement. Cost: the profiles. Raises DatabaseAwayError."""
    return Census(**(await reader.rows(CENSUS))[0])
