"""A neighbourhood of the graph as an SVG picture, readable on a phone, on light and on dark pages, without a library.

The centre stands in the middle; what belongs to it stands in a column on either side, each on a line of its own, and
what is further away is indented below, as in a table of contents. Names are written outwards and all long lines run
inwards, so that nothing is ever written on a line or on another name, however many there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from math import sqrt
from re import compile as pattern
from unicodedata import east_asian_width

import networkx as nx

ROW, INDENT = 46, 26
NEAR, BULGE = 84, 56  # from the middle to the columns: at their ends at least, and how much more in their middle
MARK, GAP, MARGIN = 8, 9, 22
LETTERS = 26
WIDE, NARROW, BOLD = 8.1, 6.3, 9.4  # px a letter of a name, of a note and of the title at most take on average
OPAQUE = pattern(r"^[0-9A-Fa-f]{8}-?[0-9A-Fa-f-]{16,}$")

# Kinds in the order in which they stand, each with its word and its mark around (0, 0).
KINDS: Mapping[str, tuple[str, str]] = {
    "Profile": ("person", "M-4-8h8a8 8 0 0 1 0 16h-8a8 8 0 0 1 0-16z"),
    "Device": ("device", "M-7-7h14v14h-14z"),
    "ContactPoint": ("contact point", "M0-10 10 0 0 10-10 0z"),
    "Contact": ("contact", "M-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0z"),
    "Account": ("account", "M-9 0-4.5-8h9L9 0 4.5 8h-9z"),
    "Identifier": ("identifier", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"),
}
# Classes of lines, in the order in which they are drawn, with their words.
LINES: Mapping[str, str] = {
    "IDENTIFIES": "belongs to",
    "LINKED": "came together",
    "MEMBER_OF": "member of",
    "PART_OF": "part of",
    "MERGED_INTO": "merged into",
    "SHARED_BY": "used by",
    "refused": "refused",
}

STYLE = """
  text { font: 15px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .note { font-size: 12px; fill: #59636e; }
  .title { font-size: 17px; font-weight: 600; }
  .name { fill: #fff; font-weight: 600; text-anchor: middle; }
  .left { text-anchor: end; }
  .page { fill: #fff; stroke: #d1d9e0; }
  .Profile { fill: #8250df; } .Device { fill: #1a7f37; } .ContactPoint { fill: #9a6700; }
  .Contact { fill: #0969da; } .Account, .Identifier { fill: #59636e; }
  .line { fill: none; stroke: #d1d9e0; stroke-width: 1.5; }
  .LINKED { stroke: #54aeff; } .refused { stroke: #cf222e; stroke-dasharray: 5 4; }
  .SHARED_BY { stroke: #9a6700; stroke-dasharray: 2 4; } .MEMBER_OF, .PART_OF, .MERGED_INTO { stroke: #818b98; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .note { fill: #9198a1; } .page { fill: #0d1117; stroke: #3d444d; }
    .Device { fill: #3fb950; } .ContactPoint { fill: #d29922; } .Contact { fill: #4493f8; }
    .Account, .Identifier { fill: #9198a1; }
    .line { stroke: #3d444d; } .LINKED { stroke: #316dca; } .refused { stroke: #f85149; }
    .SHARED_BY { stroke: #d29922; } .MEMBER_OF, .PART_OF, .MERGED_INTO { stroke: #656c76; }
  }
"""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node stands. side: -1 on the left, 1 on the right, 0 in the middle."""

    x: float
    y: float
    side: int


@dataclass(frozen=True, slots=True)
class _Label:
    """What is written beside a node: its name, and below it what sort of thing it is."""

    name: str
    note: str

    @property
    def width(self) -> float:
        return max(_letters(self.name) * WIDE, _letters(self.note) * NARROW)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The page around everything that is drawn. floor: where the legend begins."""

    left: float
    right: float
    top: float
    floor: float


def svg_of(graph: "nx.MultiDiGraph[str]", centre: str, title: str) -> str:
    """The picture as SVG text; the same graph gives the same picture."""
    centre = _middle(graph, centre)
    labels = {node: _label(node, graph.nodes[node]) for node in graph}
    tree = _tree(graph, centre, labels)
    places = _places(tree, centre, max(NEAR, _half(labels[centre]) + NEAR / 4))
    frame = _frame(places, labels, max(_letters(title) * BOLD, 2 * _half(labels[centre])))
    legend, depth = _legend(graph, frame)
    width, height = frame.right - frame.left, frame.floor + depth + MARGIN - frame.top
    box = f"{frame.left:.0f} {frame.top:.0f} {width:.0f} {height:.0f}"
    page = f'x="{frame.left + 1:.0f}" y="{frame.top + 1:.0f}" width="{width - 2:.0f}" height="{height - 2:.0f}"'
    heading = f'x="{frame.left + MARGIN:.0f}" y="{frame.top + 34:.0f}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{width:.0f}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" {page} rx="12"/>',
            f'<text class="title" {heading}>{escape(title)}</text>',
            *_lines(graph, tree, centre, places),
            *(_mark(graph.nodes[node], labels[node], place) for node, place in places.items()),
            *legend,
            "</svg>\n",
        )
    )


def _middle(graph: "nx.MultiDiGraph[str]", centre: str) -> str:
    """The profile of a shared identifier has nothing but it, and leaves it the middle."""
    around = list(dict.fromkeys(nx.all_neighbors(graph, centre)))
    return around[0] if len(around) == 1 and len(graph) > 2 else centre


def _frame(places: Mapping[str, _Place], labels: Mapping[str, _Label], least: float) -> _Frame:
    """Room for every name; least: how wide the middle is, or the title."""
    ends = [place.x + place.side * (MARK + GAP + labels[node].width) for node, place in places.items()]
    left, right = min(*ends, -least / 2), max(*ends, least / 2)
    heights = [place.y for place in places.values()]
    return _Frame(left - MARGIN, right + MARGIN, min(heights) - ROW - 36, max(heights) + ROW + 16)


def _label(node: str, attributes: Mapping[str, object]) -> _Label:
    match attributes["kind"]:
        case "Profile":
            name = attributes.get("t_name") or _full_name(attributes) or attributes.get("t_email") or "somebody"
            return _Label(_cut(str(name)), "shared" if attributes.get("shared") else "person")
        case "Account":
            return _Label(_cut(str(attributes.get("name") or node)), "account")
        case _:
            shared = ", shared" if attributes.get("generic") else ""
            return _Label(
                _cut(str(attributes.get("value", node))),
                f"{attributes.get('namespace', '')}{shared}{_since(attributes)}",
            )


def _full_name(attributes: Mapping[str, object]) -> str:
    return " ".join(str(attributes[part]) for part in ("t_first_name", "t_last_name") if part in attributes)


def _cut(text: str) -> str:
    """A name that fits; of an id that tells a person nothing, the beginning."""
    if OPAQUE.match(text):
        return f"{text[:8]}…"
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


def _letters(text: str) -> int:
    """How many letters wide a text is; those of East Asia take twice the room."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _since(attributes: Mapping[str, object]) -> str:
    seen = attributes.get("first_seen")
    return f" · {datetime.fromisoformat(seen):%d %b %Y}".replace(" 0", " ") if isinstance(seen, str) else ""


def _tree(graph: "nx.MultiDiGraph[str]", centre: str, labels: Mapping[str, _Label]) -> "nx.DiGraph[str]":
    """What stands below what: a breadth-first tree from the centre; kinds in their order, then names.

    A refused link puts nothing below anything, unless nothing else leads there.
    """
    kinds = list(KINDS)

    def order(node: str) -> tuple[int, str, str, str]:
        attributes = graph.nodes[node]
        return (
            kinds.index(str(attributes["kind"])), str(attributes.get("namespace", "")), labels[node].name, node
        )  # fmt: skip

    everything: nx.Graph[str] = nx.Graph()
    everything.add_nodes_from(graph)
    everything.add_edges_from((start, end) for start, end, _ in graph.edges)
    held = nx.Graph(everything)
    held.remove_edges_from([(start, end) for start, end in held.edges if _all_refused(graph, start, end)])
    return nx.bfs_tree(
        held if nx.is_connected(held) else everything, centre, sort_neighbors=lambda nodes: sorted(nodes, key=order)
    )


def _all_refused(graph: "nx.MultiDiGraph[str]", one: str, other: str) -> bool:
    between = [*(graph.get_edge_data(one, other) or {}).values(), *(graph.get_edge_data(other, one) or {}).values()]
    return all(_class_of(each) == "refused" for each in between)


def _places(tree: "nx.DiGraph[str]", centre: str, near: float) -> dict[str, _Place]:
    branches = [list(_branch(tree, child, 0)) for child in tree.successors(centre)]
    half = _halved([len(branch) for branch in branches])
    places = {centre: _Place(0, 0, 0)}
    for side, some in ((-1, branches[:half]), (1, branches[half:])):
        rows = [row for branch in some for row in branch]
        middle = (len(rows) - 1) / 2
        column = 0.0
        for number, (node, depth) in enumerate(rows):
            y = (number - middle) * ROW
            if depth == 0:
                column = near + BULGE * sqrt(1 - (y / (middle * ROW + ROW)) ** 2)
            places[node] = _Place(side * (column + INDENT * depth), y, side)
    return places


def _branch(tree: "nx.DiGraph[str]", node: str, depth: int) -> Iterator[tuple[str, int]]:
    """A node and everything below it, line by line."""
    yield node, depth
    for child in tree.successors(node):
        yield from _branch(tree, child, depth + 1)


def _halved(sizes: Sequence[int]) -> int:
    """How many branches stand on the left, so that the sides are as equal as can be."""
    return min(range(len(sizes), -1, -1), key=lambda cut: abs(sum(sizes[:cut]) - sum(sizes[cut:])))


def _lines(
    graph: "nx.MultiDiGraph[str]", tree: "nx.DiGraph[str]", centre: str, places: Mapping[str, _Place]
) -> Iterator[str]:
    told = {_told(graph.edges[edge], tree, centre, (edge[0], edge[1]), places) for edge in graph.edges}
    for _, text in sorted(told):
        yield text


def _told(
    attributes: Mapping[str, object],
    tree: "nx.DiGraph[str]",
    centre: str,
    ends: tuple[str, str],
    places: Mapping[str, _Place],
) -> tuple[int, str]:
    kind = _class_of(attributes)
    upper, lower = ends if tree.has_edge(*ends) else ends[::-1]
    below = upper != centre and tree.has_edge(upper, lower)
    path = _down(places[upper], places[lower]) if below else _across(places[ends[0]], places[ends[1]])
    reason = attributes.get("reason")
    said = f"<title>refused: {escape(str(reason))}</title>" if kind == "refused" and reason else ""
    return list(LINES).index(kind), f'<path class="line {kind}" d="{path}">{said}</path>'


def _class_of(attributes: Mapping[str, object]) -> str:
    return "refused" if attributes.get("accepted") is False else str(attributes["relationship"])


def _down(upper: _Place, lower: _Place) -> str:
    """Down along the column, then out to what stands below."""
    return f"M{upper.x:.0f} {upper.y:.0f}Q{upper.x:.0f} {lower.y:.0f} {lower.x:.0f} {lower.y:.0f}"


def _across(one: _Place, other: _Place) -> str:
    """Through the inside, where nothing is written."""
    x, y = (one.x + other.x) * 0.15, (one.y + other.y) / 2
    return f"M{one.x:.0f} {one.y:.0f}Q{x:.0f} {y:.0f} {other.x:.0f} {other.y:.0f}"


def _mark(attributes: Mapping[str, object], label: _Label, place: _Place) -> str:
    kind = str(attributes["kind"])
    if place.side == 0:
        half = _half(label)
        return (
            f'<g><rect class="{kind}" x="{-half:.0f}" y="-19" width="{2 * half:.0f}" height="38" rx="19"/>'
            f'<text class="name" y="5">{escape(label.name)}</text></g>'
        )
    x, side = place.x + place.side * (MARK + GAP), ' class="left"' if place.side < 0 else ""
    note = "note left" if place.side < 0 else "note"
    return (
        f'<g><path class="{kind}" transform="translate({place.x:.0f} {place.y:.0f})" d="{KINDS[kind][1]}"/>'
        f'<text{side} x="{x:.0f}" y="{place.y + 1:.0f}">{escape(label.name)}</text>'
        f'<text class="{note}" x="{x:.0f}" y="{place.y + 17:.0f}">{escape(label.note)}</text></g>'
    )


def _half(label: _Label) -> float:
    """Half the width of the mark in the middle, which holds its name."""
    return _letters(label.name) * BOLD / 2 + 18


def _legend(graph: "nx.MultiDiGraph[str]", frame: _Frame) -> tuple[list[str], float]:
    """What the marks and lines that there are mean, in as many rows as it takes, and how far down they reach."""
    kinds = {str(kind) for _, kind in graph.nodes(data="kind")}
    classes = {_class_of(graph.edges[edge]) for edge in graph.edges}
    pieces = [(f'<path class="{kind}" d="{mark}"/>', word) for kind, (word, mark) in KINDS.items() if kind in kinds]
    pieces += [(f'<path class="line {name}" d="M-11 0h22"/>', word) for name, word in LINES.items() if name in classes]
    begin = frame.left + MARGIN + 12
    x, down, texts = begin, 0.0, []
    for drawn, word in pieces:
        width = 32 + len(word) * NARROW
        if x + width > frame.right and x > begin:
            x, down = begin, down + 26
        where = f'transform="translate({x:.0f} {frame.floor + down:.0f})"'
        texts.append(f'<g {where}>{drawn}<text class="note" x="19" y="4">{word}</text></g>')
        x += width + 14
    return texts, down
