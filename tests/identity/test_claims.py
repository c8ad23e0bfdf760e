"""Ids come home: the same evidence under the same policy has the same ids, whatever was in force in between."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from identity.claims import Claim, ids_under
from identity.identifiers import IdentifierKey
from identity.messages import MessageId
from identity.stitching import Known

VALUES = range(5)
some_key = st.sampled_from([None, *"abcde"])
# What a policy writes each value as; None: it blocks it.
some_writing = st.tuples(*(some_key for _ in VALUES))
Writing = tuple[str | None, ...]


class Town:
    """The ids that are in use and the claims that were made, from policy to policy."""

    def __init__(self) -> None:
        self.clock, self.mints = count(1), count(1)
        self.ids: dict[IdentifierKey, Claim] = {}
        self.claims: dict[tuple[IdentifierKey, str], Claim] = {}
        self.writing: Writing = (None,) * len(VALUES)

    def apply(self, writing: Writing) -> dict[IdentifierKey, tuple[str, int]]:
        there = {IdentifierKey(key) for key in writing if key is not None}
        heirs = {
            key: min(after)
            for key in self.ids.keys() - there
            if (
                after := [
                    IdentifierKey(now) for was, now in zip(self.writing, writing, strict=True) if was == key and now
                ]
            )
        }
        going = [each for key, each in self.ids.items() if key not in there]
        found = ids_under(list(self.claims.values()), there, going, heirs, next(self.clock))
        self.ids = {key: self._minted(each) for key, each in found.items()}
        self.claims |= {(each.key, each.mint): each for each in self.ids.values()}
        self.writing = writing
        return {key: (each.mint, each.minted_at) for key, each in self.ids.items()}

    def _minted(self, claim: Claim) -> Claim:
        mint = claim.mint or f"m{next(self.mints)}"
        return Claim(claim.key, mint, claim.minted_at, claim.since)


@given(st.lists(some_writing, min_size=1, max_size=5), st.lists(st.integers(0, 4), max_size=6))
def test_a_policy_that_is_in_force_again_gives_the_ids_that_it_gave(policies: list[Writing], again: list[int]) -> None:
    town = Town()
    given_by = {}
    for writing in policies:
        given_by.setdefault(writing, town.apply(writing))
    for number in again:
        writing = policies[number % len(policies)]
        assert town.apply(writing) == given_by[writing]


@given(st.lists(some_writing, min_size=1, max_size=8))
def test_nobody_has_the_id_of_another(policies: list[Writing]) -> None:
    town = Town()
    for writing in policies:
        ids = town.apply(writing)
        assert len({mint for mint, _ in ids.values()}) == len(ids)


def test_an_id_is_lent_to_what_its_value_is_now_and_comes_home_though_that_stays() -> None:
    town = Town()
    dotted = town.apply(("l.ee", "le.e", None, None, None))
    folded = town.apply(("lee", "lee", None, None, None))
    assert folded["lee"] == dotted["l.ee"]
    now = town.apply(("l.ee", "le.e", "lee", None, None))
    assert {key: now[key] for key in dotted} == dotted
    assert town.apply(("lee", "lee", "lee", None, None)) == folded


A, B, C, D = (IdentifierKey(each) for each in "abcd")


def test_a_lent_id_keeps_its_minting_and_its_message_and_is_claimed_later_than_all_whatever_the_clock_says() -> None:
    old, other = Claim(A, "m1", 1, 1, MessageId("web:1")), Claim(B, "m2", 7, 7)
    found = ids_under([old, other], {B, C}, [old], {A: C}, now=3)
    assert found == {B: other, C: Claim(C, "m1", 1, 8, MessageId("web:1"))}
    assert (found[B].lent, found[C].lent) == (False, True)
    assert found[C].known == Known(C, "m1", 1)
    assert ids_under([old, other], {C}, [old], {A: C}, now=9)[C].since == 9


def test_what_nobody_lends_an_id_is_yet_to_be_minted_one_after_the_other() -> None:
    found = ids_under([], {B, A}, [], {}, now=5)
    assert found == {A: Claim(A, "", 5, 5), B: Claim(B, "", 6, 6)}
    assert not any(each.lent for each in found.values())


def test_an_id_that_two_had_is_lent_to_one_alone() -> None:
    going = [Claim(A, "m1", 1, 1), Claim(B, "m1", 1, 2)]
    found = ids_under(going, {C, D}, going, {A: C, B: D}, now=5)
    assert (found[C].mint, found[D].mint) == ("m1", "")
