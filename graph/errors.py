"""What the graph's room raises.

GraphError
  DatabaseAwayError       Neo4j does not answer; try again later
    DatabaseBrokenError   Neo4j has stopped working, as on a full disk, until somebody starts it again
  SchemaTooNewError       the database was migrated by a newer version
  MigrationChangedError   an applied migration no longer reads as it did
  NamespaceConflictError  two sources declare one namespace differently
  NameConflictError       two sources say of one name that it is of different kinds
  UnknownIdentifierError  a manual act names an identifier that is not in the graph
  PolicyApplyingError     a policy is being applied; what writes must wait
  TransactionsOpenError   a policy cannot be applied, since older transactions do not end
  ErasuresOpenError       a policy cannot be applied, since an erasure is not finished
  PolicyWrittenError      an application cannot be abandoned: it has begun to write
  DecisionError           a manual act that cannot be: two ends that are one, or an override of two kinds
    TooManyPairsError     more pairs than are decided at once
  UnknownDecisionError    nothing was decided under this id
  NotEmptyError           a first load of a graph that holds something already
  RunHeldError            another process loads the same file
  RunTakenError           another process took up the load that this one executed
  ErasureKeyError         the key of the erasures is missing or another one
"""

from datetime import datetime


class GraphError(Exception):
    """The graph cannot do what was asked. code: stable; retryable: whether asking again can help."""

    code = "graph"
    retryable = False


class DatabaseAwayError(GraphError):
    """Neo4j does not answer or lost its leader; nothing was written."""

    code = "database_away"
    retryable = True


class DatabaseBrokenError(DatabaseAwayError):
    """Neo4j met an error, such as a full disk, after which it neither reads nor writes until it is started again.

    What was committed is kept. retry_after: seconds, in which a supervisor can have started it.
    """

    code = "database_broken"
    retry_after = 10


class SchemaTooNewError(GraphError):
    """The database holds migrations this version does not know; install the newer version."""

    code = "schema_too_new"


class MigrationChangedError(GraphError):
    """A migration was applied with another text; the database and the code have parted."""

    code = "migration_changed"


class NamespaceConflictError(GraphError):
    """A source declares a namespace otherwise than it is recorded."""

    code = "namespace_conflict"


class NameConflictError(GraphError):
    """A source says of a name that it is of another kind than is recorded."""

    code = "name_conflict"


class UnknownIdentifierError(GraphError):
    """A manual act names an identifier that is not in the graph."""

    code = "unknown_identifier"


class PolicyApplyingError(GraphError):
    """A version of the policy is being applied; nothing else is written until it is in force. retry_after: seconds."""

    code = "policy_applying"
    retryable = True
    retry_after = 5

    def __init__(self, number: int, by: str) -> None:
        self.sentence = (
            f"version {number} of the policy is being applied by {by}; nothing is lost if the same is sent again in a "
            "moment"
        )
        super().__init__(self.sentence)


class DecisionError(GraphError):
    """What is asked for cannot be decided: both ends are one, or an override names no two values of one unique kind."""

    code = "decision_invalid"


class TooManyPairsError(DecisionError):
    """Taking these identifiers out would decide more pairs than are decided at once."""

    code = "too_many_pairs"


class UnknownDecisionError(GraphError):
    """Nothing was decided under this id."""

    code = "unknown_decision"


class ErasureKeyError(GraphError):
    """The key of the erasures is missing or another one; the same is welcome once it is there. retry_after: seconds."""

    code = "erasure_key"
    retryable = True
    retry_after = 30

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotEmptyError(GraphError):
    """A first load is for an empty graph, and this one holds something already."""

    code = "graph_not_empty"


class RunHeldError(GraphError):
    """Another process executes the load; it goes on by itself, and loading the file twice would only be in its way."""

    code = "run_held"

    def __init__(self, file: str, by: str, position: int, until: datetime) -> None:
        super().__init__(
            f"{file} is being loaded by {by}, which has come to line {position:,}; if that process is gone, its load "
            f"can be taken up after {until:%Y-%m-%d %H:%M:%S} UTC, or at once with --take-over"
        )


class RunTakenError(GraphError):
    """Another process took up the load; what this one committed is there, and the other one counts it as known."""

    code = "run_taken"

    def __init__(self, file: str) -> None:
        super().__init__(f"the load of {file} was taken up by another process, which goes on with it; this one stops")


class TransactionsOpenError(GraphError):
    """Transactions that began before a policy was to be applied do not end; nothing was written."""

    code = "transactions_open"
    retryable = True


class ErasuresOpenError(GraphError):
    """An erasure is under way or was interrupted, so no policy can be applied yet; nothing was written."""

    code = "erasures_open"
    retryable = True


class PolicyWrittenError(GraphError):
    """The application of a policy has begun to write, so it can be finished but not abandoned."""

    code = "policy_written"
