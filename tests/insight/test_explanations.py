"""Why two identifiers are one person, or why not, in sentences for somebody who knows nothing of graphs."""

from dataclasses import replace

import pytest

from identity.evidence import Kind, Reason
from identity.identifiers import IdentifierKey
from insight.explanations import JOINED_BY, ExplainedLink, Explanation, sentence_of

DAY = 86_400_000_000
ANN, PHONE, BOB = (IdentifierKey(each) for each in ("user_id:ann", "anonymous_id:a1", "user_id:bob"))
LINK = ExplainedLink(ANN, PHONE, Kind.COOCCUR, "claimed", "web", 20_454 * DAY, "web:m1")


def refused(reason: Reason | None, *generic: IdentifierKey) -> str:
    link = replace(LINK, b=BOB, reason=reason, generic=generic)
    return sentence_of(Explanation(ANN, BOB, same=False, refused=(link,)))


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


def test_an_identifier_is_the_same_as_itself_without_a_reason() -> None:
    assert sentence_of(Explanation(ANN, ANN, same=True)) == "user_id:ann and user_id:ann are the same person."


def test_without_evidence_two_are_strangers() -> None:
    assert sentence_of(Explanation(ANN, BOB, same=False)).endswith("not the same person: no evidence joins them.")


def test_what_is_unknown_is_named_once() -> None:
    assert sentence_of(Explanation(ANN, ANN, same=False, missing=(ANN, ANN))) == "Nothing is known of user_id:ann."
    both = Explanation(ANN, BOB, same=False, missing=(ANN, BOB))
    assert sentence_of(both) == "Nothing is known of user_id:ann and user_id:bob."


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.UNIQUE, "two values of something of which everybody has one"),
        (Reason.DIFFERENT, "decided by hand that they are different"),
        (Reason.SIZE, "more identifiers than the policy allows"),
        (None, "it waits for a recompute"),
    ],
)
def test_each_refusal_has_its_reason_in_words(reason: Reason | None, words: str) -> None:
    assert "are not the same person." in refused(reason)
    assert "but the link was refused: " in refused(reason)
    assert words in refused(reason)


def test_what_is_shared_is_named() -> None:
    assert f"{PHONE} is used by several people" in refused(Reason.GENERIC, PHONE)
    assert "one of them is used by several people" in refused(Reason.GENERIC)


def test_every_refused_link_has_a_sentence() -> None:
    links = (replace(LINK, reason=Reason.UNIQUE), replace(LINK, reason=Reason.SIZE))
    assert sentence_of(Explanation(ANN, BOB, same=False, refused=links)).count("but the link was refused") == 2
