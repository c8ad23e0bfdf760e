"""A neighbourhood of the graph as an SVG picture, readable on light and on dark pages, without any drawing library.

Radial: the centre in the middle, what stands next to it on a ring around it, and so on; each branch gets the share of
the circle that its leaves need.
"""

from html import escape
from math import cos, pi, sin

import networkx as nx

RING = 170
MARGIN = 130
LETTERS = 30

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; text-anchor: middle; }
  .small { font-size: 10px; fill: #57606a; }
  .title { font-size: 15px; font-weight: 600; }
  circle { stroke: #ffffff; stroke-width: 2; }
  .Profile { fill: #8250df; } .Contact { fill: #0969da; } .Device { fill: #1a7f37; }
  .ContactPoint { fill: #bf8700; } .Account { fill: #57606a; }
  line { stroke: #8c959f; stroke-width: 1.2; }
  .LINKED { stroke: #54aeff; stroke-width: 2; } .refused { stroke: #cf222e; stroke-dasharray: 5 4; stroke-width: 2; }
  .SHARED_BY { stroke: #bf8700; stroke-dasharray: 2 4; } .MEMBER_OF, .PART_OF { stroke: #57606a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .small { fill: #9198a1; } circle { stroke: #0d1117; }
    .Account { fill: #9198a1; } .MEMBER_OF, .PART_OF { stroke: #9198a1; }
  }
"""

Place = tuple[float, float]


def svg_of(graph: "nx.MultiDiGraph[str]", centre: str, title: str) -> str:
    """The picture as SVG text; the same graph gives the same picture."""
    places = _places(graph, centre)
    radius = max((max(abs(x), abs(y)) for x, y in places.values()), default=0) + MARGIN
    size = 2 * radius
    lines = [_line(graph.edges[edge], places[edge[0]], places[edge[1]]) for edge in graph.edges]
    marks = [_mark(graph, node, place, node == centre) for node, place in places.items()]
    box = f"{-radius:.0f} {-radius:.0f} {size:.0f} {size:.0f}"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{size:.0f}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<text class="title" y="{24 - radius:.0f}">{escape(title)}</text>',
            *sorted(set(lines)),
            *marks,
            *_legend(radius),
            "</svg>\n",
        )
    )


def _places(graph: "nx.MultiDiGraph[str]", centre: str) -> dict[str, Place]:
    """Where each node stands, in a breadth-first tree around the centre; the most telling relationships come first."""
    sorted_graph: nx.Graph[str] = nx.Graph()
    sorted_graph.add_nodes_from(sorted(graph.nodes, key=lambda node: (graph.nodes[node]["kind"], node)))
    sorted_graph.add_edges_from((start, end) for start, end, _ in sorted(graph.edges, key=str))
    tree = nx.bfs_tree(sorted_graph, centre, sort_neighbors=lambda nodes: sorted(nodes, key=lambda n: _order(graph, n)))
    places: dict[str, Place] = {}
    _spread(tree, centre, 0, (0.0, 2 * pi), places)
    return places


def _order(graph: "nx.MultiDiGraph[str]", node: str) -> tuple[str, str]:
    return (str(graph.nodes[node]["kind"]), node)


def _spread(
    tree: "nx.DiGraph[str]", node: str, depth: int, sector: tuple[float, float], places: dict[str, Place]
) -> None:
    start, end = sector
    angle = (start + end) / 2
    places[node] = (RING * depth * cos(angle), RING * depth * sin(angle))
    children = list(tree.successors(node))
    leaves = [_leaves(tree, child) for child in children]
    for child, share in zip(children, leaves, strict=True):
        end = start + (sector[1] - sector[0]) * share / sum(leaves)
        _spread(tree, child, depth + 1, (start, end), places)
        start = end


def _leaves(tree: "nx.DiGraph[str]", node: str) -> int:
    return sum(_leaves(tree, child) for child in tree.successors(node)) or 1


def _line(attributes: dict[str, object], start: Place, end: Place) -> str:
    kind = "refused" if attributes.get("accepted") is False else str(attributes["relationship"])
    ends = f'x1="{start[0]:.0f}" y1="{start[1]:.0f}" x2="{end[0]:.0f}" y2="{end[1]:.0f}"'
    reason = attributes.get("reason")
    said = f"<title>refused: {escape(str(reason))}</title>" if reason else ""
    return f'<line class="{kind}" {ends}>{said}</line>'


def _mark(graph: "nx.MultiDiGraph[str]", node: str, place: Place, middle: bool) -> str:
    attributes = graph.nodes[node]
    kind = str(attributes["kind"])
    above, below = _words(node, attributes)
    x, y = f"{place[0]:.0f}", place[1]
    size = 20 if middle else 13 if kind == "Profile" else 10
    return (
        f'<g><circle class="{kind}" cx="{x}" cy="{y:.0f}" r="{size}"/>'
        f'<text x="{x}" y="{y + size + 13:.0f}">{escape(_cut(above))}</text>'
        f'<text class="small" x="{x}" y="{y + size + 25:.0f}">{escape(below)}</text></g>'
    )


def _words(node: str, attributes: dict[str, object]) -> tuple[str, str]:
    """What stands under a node: its name, and what sort of thing it is."""
    match attributes["kind"]:
        case "Profile":
            shown = attributes.get("t_name") or _full_name(attributes) or attributes.get("t_email")
            return str(shown or "somebody"), "shared" if attributes.get("shared") else "profile"
        case "Account":
            return str(attributes.get("name") or node), "account"
        case _:
            generic = " (shared)" if attributes.get("generic") else ""
            return str(attributes.get("value", node)), f"{attributes.get('namespace', '')}{generic}"


def _full_name(attributes: dict[str, object]) -> str:
    return " ".join(str(attributes[part]) for part in ("t_first_name", "t_last_name") if part in attributes)


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


def _legend(radius: float) -> list[str]:
    kinds = ("Profile", "Contact", "ContactPoint", "Device", "Account")
    words = ("profile", "contact", "contact point", "device", "account")
    lines = []
    for index, (kind, word) in enumerate(zip(kinds, words, strict=True)):
        x = (index - 2) * 110
        lines.append(f'<circle class="{kind}" cx="{x - 40:.0f}" cy="{radius - 26:.0f}" r="6"/>')
        lines.append(f'<text class="small" x="{x + 6:.0f}" y="{radius - 22:.0f}">{word}</text>')
    return lines
