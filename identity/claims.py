"""Which id an identifier has under another policy: the one it had first, so that ids come home.

An identifier is minted an id when it becomes known. A policy that writes its value as another key lends that id to the
other key, or lets it stand for the id which that one has already; either way the claim is kept. Under a later policy
every identifier has the id of its earliest claim that nobody with an earlier one holds. A policy adds claims and takes
none away, and those it adds are the latest: so whatever came in between, the same evidence under the same policy has
the same ids again.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from identity.identifiers import IdentifierKey
from identity.messages import MessageId
from identity.stitching import Known


@dataclass(frozen=True, slots=True)
class Claim:
    """That an identifier had an id. since: from when, µs; of one that was lent later than its minting.

    mint: empty while it is yet to be minted. message: the one that carried the identifier it was minted for, if known.
    """

    key: IdentifierKey
    mint: str
    minted_at: int
    since: int
    message: MessageId | None = None

    @property
    def known(self) -> Known:
        """What stitching looks at in an identifier that has this id."""
        return Known(self.key, self.mint, self.minted_at)

    @property
    def lent(self) -> bool:
        """Whether the id was minted for another identifier."""
        return self.since != self.minted_at


def ids_under(
    claims: Collection[Claim],
    there: Collection[IdentifierKey],
    going: Iterable[Claim],
    heirs: Mapping[IdentifierKey, IdentifierKey],
    now: int,
) -> dict[IdentifierKey, Claim]:
    """The claim by which each identifier that is there has its id.

    claims: all of these identifiers, and of all that ever had one of the same ids. going: the ids of identifiers that
    are none any more; heirs: what their values are now. One without a claim of its own takes over the id of the first
    minted that goes to it, else one is minted. now: µs; whatever the clock says, a new claim is the latest.
    """
    now = max([now, *(each.since + 1 for each in claims)])
    found = _held(claims, there)
    taken = {each.mint for each in found.values()}
    for each in sorted(going, key=lambda one: (one.minted_at, one.key)):
        heir = heirs.get(each.key)
        if heir is not None and heir in there and heir not in found and each.mint not in taken:
            found[heir] = Claim(heir, each.mint, each.minted_at, now, each.message)
            taken.add(each.mint)
    for number, key in enumerate(sorted(set(there) - found.keys())):
        found[key] = Claim(key, "", now + number, now + number)
    return found


def _held(claims: Iterable[Claim], there: Collection[IdentifierKey]) -> dict[IdentifierKey, Claim]:
    found: dict[IdentifierKey, Claim] = {}
    taken: set[str] = set()
    for each in sorted(claims, key=lambda one: (one.since, one.key, one.mint)):
        if each.key in there and each.key not in found and each.mint not in taken:
            found[each.key] = each
            taken.add(each.mint)
    return found
