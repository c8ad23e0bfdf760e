"""Random definitions, people and interactions for the laws of segments."""

from hypothesis import strategies as st

from insight.segments import (
    MICROS_PER_DAY,
    All,
    Between,
    Comparison,
    Counted,
    Definition,
    Happening,
    Not,
    Recent,
    Scalar,
    Some,
    TraitIs,
)

NOW = 1_750_000_000_000_000
NAMES = ("city", "plan", "created_at")
WORDS = ("", "Oslo", "oslo", "Os", "Bergen", "\U0001f6d2", "\uff41", "1", "true", "é", "it's `quoted` \\")
TEXTS = st.sampled_from(WORDS) | st.text(max_size=3)
NUMBERS = (
    st.sampled_from([0, 1, -1, 0.5, 1.0, -0.0, 2**53 + 1, float(2**53), -(2**63), 2**63 - 1, 9.3e18])
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
SCALARS: st.SearchStrategy[Scalar] = TEXTS | NUMBERS | st.booleans()
ANY_NAME = st.sampled_from(NAMES)
DAYS = st.integers(0, 40).map(lambda days: NOW - days * MICROS_PER_DAY)
TYPES = st.sampled_from(["track", "page"])
EVENTS = st.sampled_from(["Order Completed", "Product Viewed", "Signed In"])

TRAITS = st.dictionaries(ANY_NAME, SCALARS)
HAPPENINGS = st.lists(st.builds(Happening, at=DAYS, type=TYPES, name=st.none() | EVENTS), max_size=8)

EQUALITIES = st.builds(TraitIs, ANY_NAME, st.sampled_from([Comparison.EQUALS, Comparison.NOT_EQUALS]), value=SCALARS)
PARTS_OF_TEXT = st.builds(
    TraitIs, ANY_NAME, st.sampled_from([Comparison.CONTAINS, Comparison.STARTS_WITH]), value=TEXTS
)
ORDERED = st.builds(TraitIs, ANY_NAME, st.sampled_from([Comparison.LESS, Comparison.GREATER]), value=TEXTS | NUMBERS)
PRESENCE = st.builds(TraitIs, ANY_NAME, st.just(Comparison.EXISTS), value=st.booleans())
MEMBERSHIP = st.builds(TraitIs, ANY_NAME, st.just(Comparison.IN), value=st.lists(SCALARS, max_size=3).map(tuple))
WINDOWS = st.builds(Recent, st.integers(1, 40)) | st.builds(Between, st.none() | DAYS, st.none() | DAYS)
COUNTS = st.builds(
    Counted,
    window=WINDOWS,
    type=st.none() | TYPES,
    name=st.none() | EVENTS,
    at_least=st.integers(0, 3),
    at_most=st.none() | st.integers(0, 4),
)
LEAVES: st.SearchStrategy[Definition] = EQUALITIES | PARTS_OF_TEXT | ORDERED | PRESENCE | MEMBERSHIP | COUNTS
DEFINITIONS: st.SearchStrategy[Definition] = st.recursive(
    LEAVES,
    lambda parts: (
        st.lists(parts, max_size=3).map(lambda of: All(tuple(of)))
        | st.lists(parts, max_size=3).map(lambda of: Some(tuple(of)))
        | parts.map(Not)
    ),
    max_leaves=6,
)
