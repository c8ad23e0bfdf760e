"""What the loaders raise. A record that cannot be used is no error but a Rejection.

LoaderError
  BodyInvalidError      a request's body as a whole cannot be read; sending it again cannot help
  BodyTooLargeError     a request's body is larger than is read
  BodyStalledError      nothing more of a request's body came for too long; send it again
  QueueFullError        too much waits to be committed; send the same again later
  IntakeClosedError     the service is going down; send the same again later
  MappingInvalidError   a mapping file that cannot be used
  ColumnsChangedError   a file has other columns than the last one, and that was to be an error
  FileUnreadableError   a file that cannot be read as what it was said to be
  PartMissingError      a form of file or table whose optional part is not installed
  SourceAwayError       a database or a stream that is read does not answer; the same load goes on later
  StreamRefusedError    a stream that cannot be read as it was asked for
"""


class LoaderError(Exception):
    """Records cannot be taken in. code: stable; retryable: whether sending the same again can help."""

    code = "loader"
    retryable = False


class BodyInvalidError(LoaderError):
    """A request's body is no JSON, no gzip, or not of the shape that its address takes. place: where in the body."""

    code = "body_invalid"

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}")
        self.place = place
        self.sentence = sentence


class BodyTooLargeError(BodyInvalidError):
    """A request's body, or what it unpacks to, is larger than is read."""

    code = "body_too_large"


class BodyStalledError(LoaderError):
    """A request's body did not come to its end; nothing of it was taken. retry_after: seconds."""

    code = "body_stalled"
    retryable = True
    retry_after = 1


class QueueFullError(LoaderError):
    """As many messages wait as may wait; nothing of this request was taken. retry_after: seconds."""

    code = "queue_full"
    retryable = True
    retry_after = 1


class IntakeClosedError(LoaderError):
    """The service is going down; what was not acknowledged may be sent again. retry_after: seconds."""

    code = "intake_closed"
    retryable = True
    retry_after = 5


class MappingInvalidError(LoaderError):
    """A mapping is no TOML, has an unknown key, a bad expression, or asks for a column that is not there."""

    code = "mapping_invalid"


class ColumnsChangedError(LoaderError):
    """The columns of a file differ from those of the source's last load, which `--strict` makes an error."""

    code = "columns_changed"


class FileUnreadableError(LoaderError):
    """A file is missing, empty, of an unknown format or encoding, or has a header that cannot be used."""

    code = "file_unreadable"


class PartMissingError(LoaderError):
    """What is asked for needs an optional part of Selfsame that is not installed."""

    code = "part_missing"


class SourceAwayError(LoaderError):
    """A database or a stream does not answer; what was read is committed, and the same load goes on behind it."""

    code = "source_away"
    retryable = True


class StreamRefusedError(LoaderError):
    """The settings of a stream cannot be used, a topic is not there, or the brokers refuse who asks."""

    code = "stream_refused"
