"""What the local Neo4j raises; every text says what to do.

GraphError
  ServerError               the local Neo4j cannot be had
    JarsUnavailableError    Neo4j's parts cannot be fetched; try again when the network is back
    StoppedError            fetching was called off
    JarRefusedError         a fetched part is not what the lock says
    DiskFullError           too little room for the data or the cache
    FolderNotWritableError  a folder cannot be made or written
    DataOwnedError          another process holds the data directory
    PortTakenError          somebody listens on the port that was set
    StartFailedError        Neo4j ended, or stayed silent, before it answered
    CompactionFailedError   the store could not be written anew; it is as it was
    ImportFailedError       files could not be imported into an empty store; it is as it was
  ErasureUnfinishedError  an erasure was interrupted, so the store holds what is to be erased
    PasswordLostError       the stored password does not open the stored data
"""

from graph.errors import GraphError


class ServerError(GraphError):
    """The local Neo4j cannot be had."""

    code = "local_neo4j"


class JarsUnavailableError(ServerError):
    """Neo4j's parts cannot be fetched: no network, or the repository does not answer."""

    code = "neo4j_not_fetched"
    retryable = True


class StoppedError(ServerError):
    """Fetching was called off; what came is kept."""

    code = "neo4j_fetch_stopped"
    retryable = True


class JarRefusedError(ServerError):
    """A part was fetched several times and never had the checksum of the lock."""

    code = "neo4j_checksum"


class DiskFullError(ServerError):
    """Too little room on the disk of the data or of the cache."""

    code = "disk_full"


class FolderNotWritableError(ServerError):
    """A folder that is needed cannot be made or written."""

    code = "folder_not_writable"


class DataOwnedError(ServerError):
    """Another living process holds the data directory; the text names it."""

    code = "data_dir_owned"


class PortTakenError(ServerError):
    """Somebody listens already on the Bolt port that was set."""

    code = "neo4j_port_taken"


class StartFailedError(ServerError):
    """Neo4j ended or stayed silent before it answered; the text ends with the tail of its log."""

    code = "neo4j_start_failed"


class PasswordLostError(ServerError):
    """The password beside the data does not open the data."""

    code = "neo4j_password_lost"


class CompactionFailedError(ServerError):
    """The store could not be written anew; it is as it was."""

    code = "compaction_failed"


class ImportFailedError(ServerError):
    """Neo4j's importer did not take the files of a first load; the store is as it was."""

    code = "import_failed"


class ErasureUnfinishedError(ServerError):
    """An erasure was interrupted, so the store still holds what it has to erase; finish it first."""

    code = "erasure_unfinished"
