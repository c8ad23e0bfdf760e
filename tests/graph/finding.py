"""Whether the relationships that pages of lists are read by say what they lead to."""

from graph.connection import Connection

UNFOUND = """
MATCH (i:Identifier)-[m:MEMBER_OF]->(a:Account)
WHERE m.who IS NULL OR m.who <> i.key OR m.of IS NULL OR m.of <> a.key
RETURN i.key AS what
UNION
MATCH (i:Identifier)-[s:SHARED_BY]->(p:Profile)
WHERE s.who IS NULL OR s.who <> p.id OR s.what IS NULL OR s.what <> i.mint
RETURN i.key AS what
"""


async def unfound(graph: Connection) -> list[str]:
    """What no index leads to."""
    return [row["what"] for row in await graph.reader.rows(UNFOUND)]
