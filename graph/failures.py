"""Whether a batch that could not be committed may be committed later, or has a message in it that never can."""

from neo4j.exceptions import ConstraintError, DatabaseError, DriverError, Neo4jError

from graph.errors import GraphError
from graph.locks import StartAgainError

# Codes of what is wrong with the connection or the database; the same messages are welcome later.
NOT_THE_MESSAGE = ("Neo.ClientError.Security.", "Neo.ClientError.Database.", "Neo.ClientError.Cluster.")
# A value that cannot be indexed fails the statement like a fault in the database: measured, ExecutionFailed.
THE_STATEMENT = "Neo.DatabaseError.Statement."


def may_pass(error: Exception) -> bool:
    """Whether the cause is the database, its load or other writers, so that the same batch may be committed later.

    Otherwise one of the messages is to blame: what it holds cannot be written, however often it is tried.
    """
    match error:
        case GraphError():
            return error.retryable
        case StartAgainError() | ConstraintError() | DriverError():
            return True
        case DatabaseError():
            return not (error.code or "").startswith(THE_STATEMENT)
        case Neo4jError():
            return error.is_retryable() or (error.code or "").startswith(NOT_THE_MESSAGE)
        case OSError():
            return True
        case _:
            return False


def kind_of(error: BaseException) -> str:
    """What a log may say of an error: its type and its code. Its text can quote a value, and stays out."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__} {code}" if isinstance(code, str) else type(error).__name__
