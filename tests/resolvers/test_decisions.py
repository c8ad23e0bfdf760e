"""What a decision answers is told in words for every rule that can forbid it."""

from identity.evidence import Reason
from resolvers.decisions import WHAT_FORBIDS, NothingDecidedCode
from resolvers.explanations import RefusalReason


def test_every_rule_has_a_sentence_and_a_word_in_the_schema() -> None:
    assert WHAT_FORBIDS.keys() == set(Reason)
    assert {each.value for each in RefusalReason} == {each.value for each in Reason}


def test_every_code_of_an_error_that_is_answered_is_a_word_in_the_schema() -> None:
    answered = {"unknown_identifier", "unknown_decision", "decision_invalid"}
    assert answered <= {each.value for each in NothingDecidedCode}
