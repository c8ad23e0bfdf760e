"""How a profile came to be and why two identifiers are one person, in links and in sentences for everybody."""

from collections.abc import Sequence
from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Kind, Link
from identity.identifiers import IdentifierKey
from identity.messages import Authority, Message, MessageId, SourceName
from identity.stitching import stitch, strength
from insight.explanations import (
    Explanation,
    making_of,
    sentence_of,
    sentence_of_making,
    sentence_of_step,
    strongest_path,
)
from insight.statements import JOINED_BY, ExplainedLink
from tests.building import default_policy
from tests.identity.histories import some_history
from tests.identity.test_restitching import small_policy, told_afresh

DAY = 86_400_000_000
JANUARY = 20_454 * DAY
ANN, PHONE, BOB = (IdentifierKey(each) for each in ("user_id:ann", "anonymous_id:a1", "user_id:bob"))
LINK = ExplainedLink(ANN, PHONE, Kind.COOCCUR, "claimed", "web", JANUARY, "web:m1")
KEYS = [IdentifierKey(f"{namespace}:{number}") for namespace in ("user_id", "email", "anonymous_id") for number in "12"]
POLICY = default_policy()


def link(
    a: str, b: str, kind: Kind = Kind.COOCCUR, *, at: int = JANUARY, authority: Authority = Authority.CLAIMED
) -> Link:
    one, other = sorted((IdentifierKey(a), IdentifierKey(b)))
    return Link(one, other, kind, authority, at, True, at, 1, SourceName("web"), MessageId(f"web:{kind}{a}{b}"))


@st.composite
def some_links(draw: st.DrawFn) -> list[Link]:
    ends = st.lists(st.sampled_from(KEYS), min_size=2, max_size=2, unique=True)
    made = st.builds(
        lambda pair, kind, at, authority: link(pair[0], pair[1], kind, at=at, authority=authority),
        ends,
        st.sampled_from(Kind),
        st.integers(1, 5),
        st.sampled_from(Authority),
    )
    return draw(st.lists(made, max_size=12, unique_by=lambda each: each.id))


def connected(links: Sequence[Link], a: IdentifierKey, b: IdentifierKey) -> bool:
    made = nx.Graph([(each.a, each.b) for each in links])
    made.add_nodes_from([a, b])
    return bool(nx.has_path(made, a, b))


@given(some_links(), st.data())
def test_no_way_round_the_strongest_path_is_stronger(links: list[Link], data: st.DataObject) -> None:
    """Without the weakest link of the path and all that is weaker, nothing joins the two any more."""
    a, b = KEYS[0], KEYS[-1]
    path = strongest_path(a, b, links, POLICY)
    assert bool(path) == connected(links, a, b)
    assert path == strongest_path(a, b, data.draw(st.permutations(links)), POLICY)
    here = a
    for each in path:
        here = each.other(here)
    assert here == (b if path else a)
    assert path[::-1] == strongest_path(b, a, links, POLICY)
    if path:
        weakest = max(strength(each, POLICY) for each in path)
        assert not connected([each for each in links if strength(each, POLICY) < weakest], a, b)


@given(some_links())
def test_a_step_joins_what_no_stronger_link_had_joined(links: list[Link]) -> None:
    steps = making_of(len(KEYS), links, POLICY).steps
    assert [step.number for step in steps] == list(range(1, len(links) + 1))
    for number, step in enumerate(steps):
        before = [each.link for each in steps[:number]]
        assert step.joined != connected(before, step.link.a, step.link.b)
        together = nx.Graph([(each.a, each.b) for each in (*before, step.link)])
        together.add_nodes_from(KEYS)
        assert step.size == len(nx.node_connected_component(together, step.link.a))
        assert step.groups == nx.number_connected_components(together)


@given(some_history)
def test_the_accepted_links_of_every_person_bring_her_together(history: list[Message]) -> None:
    evidence = told_afresh(history).evidence()
    found = stitch(evidence, small_policy())
    for cluster in found.clusters.values():
        inside = [each for each in evidence.links if each.id not in found.refused and each.a in cluster.members]
        making = making_of(len(cluster.members), inside, small_policy())
        assert len(making.joins) == len(cluster.members) - 1


def test_a_longer_way_of_stronger_links_is_the_answer() -> None:
    weak = link(ANN, PHONE)
    long = [link(ANN, "email:e", Kind.IMPORT_KEY), link("email:e", PHONE, Kind.ALIAS)]
    assert strongest_path(ANN, PHONE, [weak, *long], POLICY) == tuple(long)


def told_of(*links: Link) -> list[str]:
    return [sentence_of_step(step) for step in making_of(4, links, POLICY).steps]


def test_a_step_that_joins_is_told_with_how_many_are_together() -> None:
    first, second = told_of(link(ANN, "email:e", Kind.IMPORT_KEY), link(ANN, PHONE))
    assert first == (
        "email:e and user_id:ann are keys of one record (claimed, from web, first on 2026-01-01), so these two are "
        "one person."
    )
    assert second == (
        "anonymous_id:a1 and user_id:ann came in one message (claimed, from web, first on 2026-01-01), so the 2 and "
        "the 1 that each belonged together are one person with 3."
    )


def test_a_step_that_confirms_is_told_as_such() -> None:
    *_, last = told_of(link(ANN, "email:e", Kind.IMPORT_KEY), link(ANN, PHONE), link(PHONE, "email:e"))
    assert last == (
        "anonymous_id:a1 and email:e came in one message (claimed, from web, first on 2026-01-01), which confirms "
        "what was known already."
    )


def test_a_profile_is_told_by_its_strongest_statement_and_the_weakest_that_is_needed() -> None:
    links = [link(ANN, PHONE), link(PHONE, "email:e"), link(ANN, "email:e", Kind.IMPORT_KEY)]
    assert sentence_of_making(making_of(3, links, POLICY)) == (
        "This profile has 3 identifiers: 2 statements bring them together and 1 more confirms it. "
        "The strongest: email:e and user_id:ann are keys of one record (claimed, from web, first on 2026-01-01). "
        "The weakest that is needed: anonymous_id:a1 and user_id:ann came in one message (claimed, from web, first on "
        "2026-01-01)."
    )
    assert sentence_of_making(making_of(1, [], POLICY)) == (
        "This profile has 1 identifier, and nothing joins it to another."
    )


def test_what_joined_two_is_told_with_its_source_and_day() -> None:
    assert sentence_of(Explanation(ANN, PHONE, same=True, path=(LINK,))) == (
        "user_id:ann and anonymous_id:a1 are the same person: user_id:ann and anonymous_id:a1 came in one message "
        "(claimed, from web, first on 2026-01-01)."
    )


def test_every_link_of_the_path_is_told_in_its_order() -> None:
    second = replace(LINK, a=PHONE, b=IdentifierKey("email:ann@x.com"), kind=Kind.ALIAS)
    told = sentence_of(Explanation(ANN, second.b, same=True, path=(LINK, second)))
    assert told.index("came in one message") < told.index(";") < told.index("were declared to be the same")


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_link_has_words(kind: Kind) -> None:
    assert JOINED_BY[kind] in sentence_of(Explanation(ANN, PHONE, same=True, path=(replace(LINK, kind=kind),)))


def test_a_decision_has_a_day_and_a_hash_has_none() -> None:
    decided, hashed = (
        sentence_of(Explanation(ANN, PHONE, same=True, path=(replace(LINK, kind=kind),)))
        for kind in (Kind.MANUAL, Kind.DERIVED)
    )
    assert decided.endswith("were joined by hand on 2026-01-01.")
    assert hashed.endswith("are an address and its hash.")


def test_an_identifier_is_the_same_as_itself_without_a_reason() -> None:
    assert sentence_of(Explanation(ANN, ANN, same=True)) == "user_id:ann and user_id:ann are the same person."


def test_without_evidence_two_are_strangers() -> None:
    assert sentence_of(Explanation(ANN, BOB, same=False)).startswith(
        "user_id:ann and user_id:bob are not the same person: no evidence joins them."
    )


def test_what_is_unknown_is_named_once() -> None:
    assert sentence_of(Explanation(ANN, ANN, same=False, missing=(ANN, ANN))) == "Nothing is known of user_id:ann."
    both = Explanation(ANN, BOB, same=False, missing=(ANN, BOB))
    assert sentence_of(both) == "Nothing is known of user_id:ann and user_id:bob."
