import pytest

from identity.identifiers import ProfileId
from insight.changes import CauseKind, Change, ChangeKind, ChangeShape, sentence_of, shape_of


def change(kind: ChangeKind, cause: CauseKind = CauseKind.MESSAGES, **more: object) -> Change:
    facts = {
        "id": "1",
        "at": 1,
        "by": "web",
        "decision": None,
        "note": None,
        "reason": None,
        "count": 2,
        **dict.fromkeys(("before", "after", "retired", "messages", "moved", "about", "acts"), ()),
    }
    return Change(**{**facts, "kind": kind, "cause": cause, **more})  # type: ignore[arg-type]  # a builder


ONE, TWO, THREE = (ProfileId(f"p{number}") for number in range(3))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (change(ChangeKind.ARRIVED, count=1), "1 identifier became known (from messages of web)."),
        (
            change(ChangeKind.MERGED, before=(TWO, THREE), after=(ONE,), retired=(TWO, THREE)),
            "2 profiles became one with another, whose id theirs lead to (from messages of web).",
        ),
        (
            change(ChangeKind.SPLIT, CauseKind.RECOMPUTE, before=(ONE,), after=(TWO,), reason="unique"),
            (
                "People were parted: 2 identifiers left 1 profile; else one person would have two values of something "
                "of which everybody has one (by a recompute in the background)."
            ),
        ),
        (
            change(ChangeKind.DECIDED, CauseKind.DECISION, by="kim", acts=("different", "same")),
            "It was decided that people are different and that people are the same (decided by kim).",
        ),
        (change(ChangeKind.ERASED, CauseKind.ERASURE), "2 identifiers went (by an erasure)."),
    ],
)
def test_a_change_is_a_plain_sentence(said: Change, sentence: str) -> None:
    assert sentence_of(said) == sentence


@pytest.mark.parametrize("kind", ChangeKind)
@pytest.mark.parametrize("cause", CauseKind)
def test_every_kind_and_cause_has_words(kind: ChangeKind, cause: CauseKind) -> None:
    assert sentence_of(change(kind, cause)).endswith(").")


def test_every_kind_of_change_has_a_shape_and_what_moves_identifiers_is_a_merge_event() -> None:
    shapes = {kind.value: shape_of(kind) for kind in ChangeKind}
    merges = {"arrived", "merged", "split", "moved", "renamed", "regrouped", "withdrawn", "erased"}
    assert {kind for kind, shape in shapes.items() if shape is ChangeShape.MERGE} == merges
    assert {kind for kind, shape in shapes.items() if shape is ChangeShape.RULE} == {"generic", "not_generic", "policy"}
