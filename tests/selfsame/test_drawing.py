"""The picture of a neighbourhood, read again as numbers: what a person would see as clutter is a failure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from xml.etree import ElementTree as ET

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsame.drawing import NARROW, WIDE, svg_of

SVG = "{http://www.w3.org/2000/svg}"
Graph = nx.MultiDiGraph
UUID = "259379cb-3008-508e-aeb5-b3952aee266a"


@dataclass(frozen=True)
class Box:
    """Where a text stands. The letters' width is a guess on the safe side."""

    left: float
    right: float
    top: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def texts(picture: str) -> Iterator[Box]:
    """The names and notes beside the marks."""
    for each in ET.fromstring(picture).iterfind(f"{SVG}g/{SVG}text"):  # noqa: S314 - our own text
        if each.get("x") is None or each.get("class") == "name" or each.get("y") == "4":
            continue
        small = "note" in (each.get("class") or "")
        width = len(each.text or "") * (NARROW if small else WIDE)
        x, y = float(each.get("x", 0)), float(each.get("y", 0))
        left = x - width if "left" in (each.get("class") or "") else x
        yield Box(left, left + width, y - (10 if small else 12), y + 3)


def page(picture: str) -> Box:
    left, top, width, height = map(float, ET.fromstring(picture).get("viewBox", "").split())  # noqa: S314
    return Box(left, left + width, top, top + height)


def person(name: str, *identifiers: str) -> "nx.MultiDiGraph[str]":
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_node("p", kind="Profile", t_name=name)
    for key in identifiers:
        namespace, _, value = key.partition(":")
        kind = {"email": "ContactPoint", "anonymous_id": "Device"}.get(namespace, "Contact")
        seen = "2026-03-07T10:00:00+00:00"
        graph.add_node(key, kind=kind, namespace=namespace, value=value, first_seen=seen)
        graph.add_edge(key, "p", relationship="IDENTIFIES")
    return graph


@st.composite
def graphs(draw: st.DrawFn) -> "nx.MultiDiGraph[str]":
    """A person, identifiers with values of any length, accounts, other people behind some of them, any links."""
    values = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=40)
    keys = draw(st.lists(values.map("email:{}".format) | values.map("user_id:{}".format), max_size=30, unique=True))
    graph = person("Ada Quill", *keys)
    for number, key in enumerate(draw(st.lists(st.sampled_from(keys), max_size=8)) if keys else ()):
        graph.add_node(f"a{number}", kind="Account", name=f"Account {number}")
        graph.add_edge(key, f"a{number}", relationship="MEMBER_OF", role="member")
    for one, other in (
        draw(st.lists(st.tuples(st.sampled_from(keys), st.sampled_from(keys)), max_size=20)) if keys else ()
    ):
        graph.add_edge(one, other, relationship="LINKED", accepted=draw(st.booleans()), reason="unique")
    return graph


@given(graphs())
def test_no_two_texts_overlap_and_none_is_clipped(graph: "nx.MultiDiGraph[str]") -> None:
    picture = svg_of(graph, "p", "Who is Ada?")
    boxes, whole = list(texts(picture)), page(picture)
    assert len(boxes) == 2 * (len(graph) - 1)
    assert not [pair for pair in combinations(boxes, 2) if pair[0].meets(pair[1])]
    assert all(whole.left < box.left and box.right < whole.right for box in boxes)
    assert all(whole.top < box.top and box.bottom < whole.bottom for box in boxes)


@given(graphs())
def test_the_same_graph_gives_the_same_picture_whatever_the_order_of_its_parts(graph: "nx.MultiDiGraph[str]") -> None:
    turned: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    turned.add_nodes_from(reversed(list(graph.nodes(data=True))))
    turned.add_edges_from(reversed(list(graph.edges(data=True))))
    assert svg_of(turned, "p", "Who?") == svg_of(graph, "p", "Who?")


def test_a_long_title_and_a_long_name_fit_on_the_page() -> None:
    picture = svg_of(person("A" * 60), "p", "Who is " + "a" * 70 + "?")
    assert page(picture).right - page(picture).left > 700


def test_an_opaque_id_shows_its_beginning() -> None:
    picture = svg_of(person("Ada", f"anonymous_id:{UUID}"), "p", "Who?")
    assert ">259379cb…<" in picture
    assert ">anonymous_id · 7 Mar 2026<" in picture


def test_a_shared_identifier_stands_in_the_middle_instead_of_its_profile() -> None:
    graph = person("", "email:team@x.example")
    graph.nodes["email:team@x.example"]["generic"] = "values"
    graph.add_node("q", kind="Profile", t_name="Noor")
    graph.add_edge("email:team@x.example", "q", relationship="SHARED_BY")
    assert '<text class="name" y="5">team@x.example</text>' in svg_of(graph, "p", "Who?")


def test_what_was_refused_is_dashed_and_says_why() -> None:
    graph = person("Ada", "email:a@x.example", "user_id:u1")
    graph.add_edge("email:a@x.example", "user_id:u1", relationship="LINKED", accepted=False, reason="unique")
    picture = svg_of(graph, "p", "Who?")
    assert "<title>refused: unique</title>" in picture
    assert ">refused</text>" in picture


def test_what_people_wrote_is_escaped() -> None:
    assert "Bo &lt;Ek&gt; &amp; Co" in svg_of(person("Bo <Ek> & Co"), "p", "Who?")


@pytest.mark.parametrize("word", ["device", "account", "refused"])
def test_the_legend_explains_only_what_is_there(word: str) -> None:
    assert f">{word}</text>" not in svg_of(person("Ada", "email:a@x.example"), "p", "Who?")
