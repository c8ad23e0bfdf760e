"""Who is who in a history of 1,000,000 links, recomputed from nothing, against the floor of any such thing.

The floor is scipy's connected components of the same links as a sparse matrix: it asks no question about any link, and
knows no generic identifier, no unique namespace, no limit and nobody who stands as different. Both begin at numbers;
reading the history from the graph is no part of either. 250,000 people with four identifiers each; one in fifty links a
device to somebody else, too, so that there is something to refuse.
"""

import random
from time import perf_counter
from tracemalloc import get_traced_memory, start, stop

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from bench.report import Ratio
from bench.world import World
from identity.evidence import Kind
from identity.identifiers import IdentifierKey
from identity.messages import Authority
from identity.policy import Policy
from identity.recomputing import Columns, recompute
from identity.stitching import Known
from selfsame.settings import configured_policy, load_settings

PEOPLE = 250_000
SHARED = 0.02
ROUNDS = 5


async def recomputing(_: World) -> Ratio:
    """Links a second, five rounds, ours and the floor in turn; the memory of the columns is printed beside."""
    policy = configured_policy(load_settings())
    start()
    columns = history(PEOPLE)
    held, _peak = get_traced_memory()
    stop()
    print(
        f"recompute: {len(columns.first):,} links, {held / len(columns.first):,.0f} bytes a link, identifiers included"
    )
    ours: list[float] = []
    floor: list[float] = []
    for _round in range(ROUNDS + 1):
        ours.append(len(columns.first) / _ours(columns, policy))
        floor.append(len(columns.first) / _floor(columns))
    return Ratio("global recompute", "connected components", "links/s", ours[1:], floor[1:], "at least 1/15 = 0.067")


def history(people: int) -> Columns:
    """Four identifiers and four links for each person, and some devices that somebody else used, too."""
    columns, chance = Columns(), random.Random(1)  # noqa: S311 - no secret
    for number in range(people):
        names = (f"user_id:u{number}", f"email:p{number}@x.com", f"anonymous_id:a{number}", f"anonymous_id:b{number}")
        user, email, one, other = (columns.add_identifier(Known(IdentifierKey(key), key, number)) for key in names)
        for ends in ((email, user), (one, user), (one, email), (other, user)):
            columns.add_row(ends, Kind.COOCCUR, Authority.CLAIMED, number, True)
        if chance.random() < SHARED:
            somebody = columns.numbers[IdentifierKey(f"user_id:u{chance.randrange(number + 1)}")]
            columns.add_row((one, somebody), Kind.COOCCUR, Authority.CLAIMED, number + 1, True)
    return columns


def _ours(columns: Columns, policy: Policy) -> float:
    begun = perf_counter()
    recompute(columns, (), policy)
    return perf_counter() - begun


def _floor(columns: Columns) -> float:
    begun = perf_counter()
    many = len(columns.keys)
    ends = np.frombuffer(columns.first, dtype=np.int32), np.frombuffer(columns.second, dtype=np.int32)
    matrix = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(many, many))
    connected_components(matrix.tocsr(), directed=False)
    return perf_counter() - begun
