"""What the front door raises.

FrontDoorError
  SettingsInvalidError    an environment variable or the settings file cannot be used
  EnvironmentRefusesError the machine says no: a port taken, a folder not writable, a disk full
  InputInvalidError       an argument names something that is not there or cannot be used
  CheckFailedError        a check was made and found something wrong
"""


class FrontDoorError(Exception):
    """The command or the service cannot go on; the text is a sentence for a person and says what to do.

    code: stable; retryable: whether asking again can help.
    """

    code = "front_door"
    retryable = False


class SettingsInvalidError(FrontDoorError):
    """A setting is unknown or has a value that cannot be used; the text names file or variable, key and reason."""

    code = "settings_invalid"


class EnvironmentRefusesError(FrontDoorError):
    """The machine refuses: a port is taken, a folder is not writable, the disk is full."""

    code = "environment_refuses"


class InputInvalidError(FrontDoorError):
    """An argument names something that is not there, or cannot be read."""

    code = "input_invalid"


class CheckFailedError(FrontDoorError):
    """A check was made, and the answer is no."""

    code = "check_failed"
