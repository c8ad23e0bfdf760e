"""How a text that somebody types becomes a query of a full-text index."""

import re

LUCENE_SIGN = re.compile(r'([+\-!(){}\[\]^"~*?:\\/&|<>=])')
# As the index cuts words: at signs and spaces, not at the dot of a domain or the apostrophe of a name.
TOKEN = re.compile(r"[^\W_][\w.':]*")
MOST_HITS = 1_000


def lucene_query(text: str) -> str:
    """A query for every word of a text, whole or as the beginning of a word; signs of the query language mean nothing.

    Words are quoted so that the index's own analyser cuts them (`anna@fern.no`) and `AND` is only a word; the second
    form finds what is still being typed.
    """
    return " AND ".join(f'("{_escaped(word)}" OR {_begun(word)})' for word in text.split() if TOKEN.search(word))


def _begun(word: str) -> str:
    *whole, last = TOKEN.findall(word)
    terms = [f'"{_escaped(each)}"' for each in whole] + [f"{_escaped(last.lower())}*"]
    return f"({' AND '.join(terms)})"


def _escaped(word: str) -> str:
    return LUCENE_SIGN.sub(r"\\\1", word)
