"""What `rebuild` stitches by columns is what the plain rule says."""

from hypothesis import given

from graph.rebuild import by_columns
from identity.evidence import Act
from identity.messages import Message
from identity.policy import Policy
from identity.stitching import stitch
from tests.identity.histories import some_overridden_history, some_steps
from tests.identity.memory import history_of
from tests.identity.policies import some_policy


@given(some_steps | some_overridden_history(), some_policy)
def test_stitching_by_columns_gives_the_people_of_the_plain_rule(steps: list[Message | Act], policy: Policy) -> None:
    evidence = history_of(*steps, policy=policy).evidence()
    assert by_columns(evidence, policy) == stitch(evidence, policy)
