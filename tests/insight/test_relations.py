"""Ways between people: all that there are, the best first, the same whoever asks."""

from itertools import pairwise

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from insight.relations import WEAKNESS, Kind, Thing, Tie, TieKind, Ties, best_ways, sentence_of_tie, sentence_of_way

NODES = [Thing(Kind.PROFILE, name) for name in "abcd"] + [Thing(Kind.ACCOUNT, name) for name in "xyz"]
A, B, X = NODES[0], NODES[1], NODES[4]


def ties() -> st.SearchStrategy[list[Tie]]:
    pair = st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)).filter(lambda ends: ends[0] != ends[1])
    return st.lists(st.builds(lambda ends, kind: Tie(*ends, kind), pair, st.sampled_from(TieKind)), max_size=20)


def ranked(said: list[Tie], most: int) -> list[tuple[Thing, ...]]:
    """Every simple path of networkx, sorted as the rule says."""
    graph = nx.Graph()
    graph.add_nodes_from(NODES)
    for tie in sorted(said, key=lambda each: each.rank, reverse=True):
        graph.add_edge(tie.a, tie.b, weakness=WEAKNESS[tie.kind])
    ways = map(tuple, nx.all_simple_paths(graph, A, B, cutoff=most))

    def rank(way: tuple[Thing, ...]) -> tuple[object, ...]:
        return len(way), sum(graph.edges[pair]["weakness"] for pair in pairwise(way)), [each.rank for each in way]

    return sorted(ways, key=rank)


@given(ties(), st.integers(1, 6), st.integers(1, 5))
@settings(max_examples=150)
def test_the_best_ways_are_the_first_of_all_simple_paths_sorted(said: list[Tie], most: int, first: int) -> None:
    graph = Ties()
    graph.add(said)
    answer = best_ways(graph, A, B, most, first)
    assert answer.complete
    assert list(answer.found) == ranked(said, most)[:first]


@given(ties(), st.randoms())
@settings(max_examples=50)
def test_the_order_in_which_ties_are_met_changes_nothing(said: list[Tie], random: object) -> None:
    one, other = Ties(), Ties()
    one.add(said)
    shuffled = list(said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis's Random
    other.add(shuffled)
    assert one.all() == other.all()
    assert best_ways(one, A, B, 4, 5) == best_ways(other, A, B, 4, 5)


def test_a_person_is_related_to_herself_without_any_tie() -> None:
    assert best_ways(Ties(), A, A, 4, 5).found == ((A,),)
    assert sentence_of_way((A,), (), {A: "Anna"}) == "They are one person, Anna."


SAID = {
    TieKind.MEMBER_OF: (("buyer", "crm"), "Anna belongs to Fern as buyer (from crm)."),
    TieKind.PART_OF: ((), "Anna is part of Fern."),
    TieKind.ABOUT: (("Order Completed",), "Anna had to do with Fern: Order Completed."),
    TieKind.DEAL_OF: ((), "Anna is a deal of Fern."),
    TieKind.FOR_ACCOUNT: ((), "Anna is for Fern."),
    TieKind.CONTAINS: ((), "Anna has Fern in it."),
    TieKind.TOLD_WITH: (("Order Completed",), "Anna and Fern were told of together: Order Completed."),
    TieKind.IDENTIFIES: ((), "Fern is an identifier of Anna."),
    TieKind.SHARES_DEVICE: (("2",), "Anna uses Fern, which 2 people share."),
    TieKind.SHARES_CONTACT_POINT: (("1",), "Anna uses Fern, which 1 person uses."),
    TieKind.SHARES_IDENTIFIER: (("3",), "Anna uses Fern, which 3 people share."),
    TieKind.REFUSED_LINK: (
        ("email:a", "user_id:b", "unique"),
        "email:a of Anna and user_id:b of Fern were met together, which does not make them one (unique).",
    ),
}


def test_every_tie_has_its_sentence() -> None:
    told = {kind: sentence_of_tie(Tie(A, X, kind, said), {A: "Anna", X: "Fern"}) for kind, (said, _) in SAID.items()}
    assert told == {kind: sentence for kind, (_, sentence) in SAID.items()}
    assert SAID.keys() == set(TieKind)
