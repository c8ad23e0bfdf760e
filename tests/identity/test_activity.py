"""Which identifiers are shown as active: a function of the set, with the limits of the policy."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from identity.activity import inactive
from identity.identifiers import IdentifierKey
from tests.building import default_policy

DAY = 86_400_000_000


@dataclass(frozen=True)
class Sighted:
    key: IdentifierKey
    first_seen: int
    last_seen: int


def sighted(key: str, first: int, last: int | None = None) -> Sighted:
    return Sighted(IdentifierKey(key), first * DAY, (first if last is None else last) * DAY)


def test_the_five_oldest_addresses_are_active() -> None:
    found = [sighted(f"email:e{number}@x.com", number) for number in range(7)]
    assert inactive(found, default_policy()) == {"email:e5@x.com", "email:e6@x.com"}


def test_at_one_moment_the_smaller_key_is_active() -> None:
    found = [sighted(f"email:e{number}@x.com", 1) for number in range(6)]
    assert inactive(reversed(found), default_policy()) == {"email:e5@x.com"}


def test_of_anonymous_ids_the_newest_hundred_of_ninety_days_before_the_newest_sighting_are_active() -> None:
    old = sighted("anonymous_id:old", 0, 9)
    edge = sighted("anonymous_id:edge", 0, 10)
    newest = sighted("user_id:u1", 0, 100)
    assert inactive([old, edge, newest], default_policy()) == {"anonymous_id:old"}
    many = [sighted(f"anonymous_id:a{number:03}", 0, 50) for number in range(100)]
    assert inactive([edge, newest, *many], default_policy()) == {"anonymous_id:edge"}


some_identifiers = st.lists(
    st.builds(
        sighted,
        st.sampled_from(["email", "anonymous_id", "push_token", "user_id"]).flatmap(
            lambda name: st.integers(0, 30).map(lambda number: f"{name}:{number:02}")
        ),
        st.integers(0, 9),
        st.integers(9, 200),
    ),
    unique_by=lambda each: each.key,
    max_size=40,
)


@given(some_identifiers.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_means_nothing_and_no_namespace_shows_more_than_its_limit(
    orders: tuple[list[Sighted], list[Sighted]],
) -> None:
    found, shuffled = orders
    policy = default_policy()
    hidden = inactive(found, policy)
    assert inactive(shuffled, policy) == hidden
    for name, rules in policy.namespaces.items():
        shown = [each for each in found if each.key.startswith(f"{name}:") and each.key not in hidden]
        assert rules.active is None or len(shown) <= rules.active
