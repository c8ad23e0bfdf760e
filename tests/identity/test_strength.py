"""Which of two links is accepted first: each step of the order, with everything after it turned round."""

from dataclasses import replace
from itertools import pairwise

import pytest

from identity.evidence import Kind, Link
from identity.identifiers import IdentifierKey
from identity.messages import Authority, MessageId, SourceName
from identity.stitching import strength
from tests.building import default_policy

SECOND = 1_000_000


def link(one: str, other: str, kind: Kind = Kind.COOCCUR, authority: Authority = Authority.CLAIMED) -> Link:
    a, b = sorted((IdentifierKey(one), IdentifierKey(other)))
    return Link(a, b, kind, authority, SECOND, True, SECOND, 1, SourceName("web"), MessageId("web:1"))


WEAKEST = link("anonymous_id:z", "push_token:z")


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (replace(WEAKEST, kind=Kind.ALIAS), link("user_id:a", "crm:a", authority=Authority.IMPORTED)),
        (replace(WEAKEST, authority=Authority.VERIFIED), link("user_id:a", "crm:a")),
        (link("user_id:z", "anonymous_id:z"), link("email:a", "phone:a")),
        (link("anonymous_id:z", "crm:z"), link("email:a", "email:b")),
        (link("user_id:z", "email:z"), link("user_id:a", "phone:a")),
        (link("email:z", "phone:z"), link("anonymous_id:a", "email:a")),
        (replace(link("email:z", "phone:z"), first_seen=9), replace(link("email:a", "phone:a"), sure=False)),
        (replace(link("email:z", "phone:z"), first_seen=9), link("email:a", "phone:a")),
        (link("email:a", "phone:z"), link("email:b", "phone:a")),
        (link("email:a", "phone:a"), link("email:a", "phone:b")),
    ],
    ids=["kind", "authority", "better", "of imports", "worse", "worse of two", "sure", "first", "key", "other key"],
)
def test_a_link_is_stronger_by(stronger: Link, weaker: Link) -> None:
    assert strength(stronger, default_policy()) < strength(weaker, default_policy())


def test_of_unsure_times_none_is_earlier() -> None:
    one, other = (replace(link("email:a", "phone:a"), sure=False, first_seen=moment) for moment in (9, SECOND))
    assert strength(one, default_policy()) == strength(other, default_policy())


def test_a_sure_time_is_stronger_however_late() -> None:
    sure, unsure = link("email:z", "phone:z"), replace(link("email:a", "phone:a"), sure=False, first_seen=1)
    assert strength(sure, default_policy()) < strength(unsure, default_policy())


def test_aliases_of_one_pair_go_by_the_id_that_they_name() -> None:
    plain = link("anonymous_id:a", "user_id:u", Kind.ALIAS)
    in_order = [strength(replace(plain, previous=each), default_policy()) for each in (None, "A", "a", "b")]
    assert all(one < other for one, other in pairwise(in_order))
