"""Parts that an extra brings: asked for when something needs them, so that a start does not wait for them."""

from importlib import import_module
from types import ModuleType

from loaders.errors import PartMissingError


def optional_part(module: str, extra: str = "tables") -> ModuleType:
    """A module that is there, or stands on one that is there, with an extra. Raises PartMissingError."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        sentence = f"this needs {error.name}, which is not installed: pip install 'selfsame[{extra}]'"
        raise PartMissingError(sentence) from error
