"""Which failures of a commit may pass, and which are a message's own."""

import pytest
from neo4j.exceptions import AuthError, ConstraintError, DatabaseError, Neo4jError, ServiceUnavailable, TransientError

from graph.errors import DatabaseAwayError, NamespaceConflictError
from graph.failures import may_pass
from graph.locks import StartAgainError


def coded(kind: type[Neo4jError], code: str) -> Neo4jError:
    error = kind(code)
    error._neo4j_code = code
    return error


@pytest.mark.parametrize(
    "error",
    [
        DatabaseAwayError("away"),
        StartAgainError(),
        ServiceUnavailable("gone"),
        coded(TransientError, "Neo.TransientError.Transaction.DeadlockDetected"),
        coded(ConstraintError, "Neo.ClientError.Schema.ConstraintValidationFailed"),
        coded(DatabaseError, "Neo.DatabaseError.Transaction.TransactionCommitFailed"),
        coded(AuthError, "Neo.ClientError.Security.Unauthorized"),
        ConnectionResetError(),
    ],
)
def test_what_the_database_or_other_writers_cause_may_pass(error: Exception) -> None:
    assert may_pass(error)


@pytest.mark.parametrize(
    "error",
    [
        OverflowError("Python int too large to convert to C long"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        coded(DatabaseError, "Neo.DatabaseError.Statement.ExecutionFailed"),
        coded(Neo4jError, "Neo.ClientError.Statement.TypeError"),
        NamespaceConflictError("two"),
        KeyError("x"),
    ],
)
def test_what_a_message_holds_stays_impossible(error: Exception) -> None:
    assert not may_pass(error)
