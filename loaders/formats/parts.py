"""Parts that `selfsame[tables]` brings: asked for when a file needs them, so that a start does not wait for them."""

from importlib import import_module
from types import ModuleType

from loaders.errors import PartMissingError


def optional_part(module: str) -> ModuleType:
    """A module that is there, or stands on one that is there, with the extra. Raises PartMissingError."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        sentence = f"this needs {error.name}, which is not installed: pip install 'selfsame[tables]'"
        raise PartMissingError(sentence) from error
