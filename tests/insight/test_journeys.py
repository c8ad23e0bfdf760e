import itertools

from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json
from insight.channels import Channel
from insight.journeys import MICROS_PER_MINUTE, Moment, Said, Session, Touchpoint, sessions_of, touchpoints_of

MOMENTS = st.lists(
    st.builds(
        Moment,
        at=st.integers(0, 200).map(lambda minutes: minutes * MICROS_PER_MINUTE),
        id=st.uuids().map(str),
        name=st.sampled_from(["Product Viewed", "Signed In", None]),
        type=st.sampled_from(["track", "page"]),
    )
)


def moment(minute: int, name: str | None = "Product Viewed") -> Moment:
    return Moment(minute * MICROS_PER_MINUTE, f"web:{minute}", name, "track")


def test_nothing_gives_no_session() -> None:
    assert sessions_of([], 30) == ()


def test_a_pause_of_thirty_minutes_keeps_a_session_and_a_longer_one_ends_it() -> None:
    found = sessions_of([moment(0), moment(30), moment(61)], 30)
    assert [(each.start // MICROS_PER_MINUTE, each.end // MICROS_PER_MINUTE) for each in found] == [(61, 61), (0, 30)]


def test_names_stand_once_in_the_order_of_their_first_time_and_types_stand_in_for_missing_ones() -> None:
    found = sessions_of([moment(3), moment(1, "Signed In"), moment(2), moment(4, None)], 30)
    expected = Session(1 * MICROS_PER_MINUTE, 4 * MICROS_PER_MINUTE, 4, ("Signed In", "Product Viewed", "track"))
    assert found == (expected,)


@given(MOMENTS, st.randoms())
def test_the_order_of_the_moments_never_matters(moments: list[Moment], random: object) -> None:
    shuffled = sorted(moments, key=lambda _: random.random())  # type: ignore[attr-defined]  # Hypothesis' own Random
    assert sessions_of(shuffled, 30) == sessions_of(moments, 30)


@given(MOMENTS, st.integers(1, 60))
def test_every_interaction_is_in_one_session_and_sessions_are_far_apart(moments: list[Moment], idle: int) -> None:
    found = sessions_of(moments, idle)
    assert sum(each.count for each in found) == len(moments)
    gaps = [later.start - earlier.end for later, earlier in itertools.pairwise(found)]
    assert all(gap > idle * MICROS_PER_MINUTE for gap in gaps)


def said(id_: str, context: dict[str, Json] | None = None, **properties: Json) -> Said:
    return Said(id_, properties, context or {})


def test_a_session_that_says_nothing_of_where_she_came_from_is_direct() -> None:
    assert touchpoints_of([said("1"), said("2")]) == (Touchpoint("1", Channel.DIRECT),)
    assert touchpoints_of([]) == ()


def test_a_campaign_is_read_wherever_sources_write_it_and_counts_once_while_it_stays_the_same() -> None:
    segment: dict[str, Json] = {"campaign": {"name": "spring", "source": "google", "medium": "cpc"}}
    snowplow: dict[str, Json] = {"campaign": "spring", "campaign_source": "google", "campaign_medium": "cpc"}
    url = "https://fern.example/?utm_campaign=spring&utm_source=google&utm_medium=cpc"
    utm: dict[str, Json] = {"utm_campaign": "spring", "utm_source": "google", "utm_medium": "cpc"}
    same = [said("1", segment), said("2", snowplow), said("3", None, url=url), Said("4", utm, {})]
    paid = Touchpoint("1", Channel.PAID_SEARCH, "google", "cpc", "spring")
    assert touchpoints_of(same) == (paid,)
    mail: dict[str, Json] = {"campaign": {"source": "news", "medium": "email"}}
    again = touchpoints_of([*same, said("5", mail), said("6", segment)])
    assert [each.id for each in again] == ["1", "5", "6"]


def test_a_referrer_counts_where_it_is_another_site() -> None:
    page: dict[str, Json] = {"page": {"url": "https://www.fern.example/a", "referrer": "https://fern.example/"}}
    (direct,) = touchpoints_of([said("1", page)])
    assert direct.channel is Channel.DIRECT
    (search,) = touchpoints_of([said("1", page, referrer="https://www.google.com/"), said("2", page)])
    assert (search.channel, search.source) == (Channel.ORGANIC_SEARCH, "google.com")
    assert touchpoints_of([said("1", {"page": 7}, referrer="http://[", url="http://?utm_source=a&" + "a=b&" * 200)])


@given(MOMENTS)
def test_a_session_knows_its_moments_in_the_order_of_time(moments: list[Moment]) -> None:
    found = sessions_of(moments, 30)
    assert [each for session in reversed(found) for each in session.moments] == sorted(
        moments, key=lambda each: (each.at, each.id)
    )


def test_a_session_names_a_hundred_things_at_most() -> None:
    (session,) = sessions_of([Moment(number, f"{number:03d}", f"n{number:03d}", "track") for number in range(150)], 30)
    assert (session.count, session.names) == (150, tuple(f"n{number:03d}" for number in range(100)))
