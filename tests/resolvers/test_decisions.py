"""What a decision answers is told in words for every rule that can forbid it."""

from identity.evidence import Reason
from resolvers.explanations import RefusalReason
from resolvers.problems import WHAT_FORBIDS


def test_every_rule_has_a_sentence_and_a_word_in_the_schema() -> None:
    assert WHAT_FORBIDS.keys() == set(Reason)
    assert {each.value for each in RefusalReason} == {each.value for each in Reason}
