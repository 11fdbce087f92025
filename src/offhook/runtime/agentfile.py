"""Loads the file in which a user wrote an agent."""

import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from offhook.agent import Agent
from offhook.errors import ConfigurationError, OffhookError

NAMES = ("agent", "answer")
"""What is looked for where no name is given."""


def load_agent(reference: str) -> Agent | Callable[..., Any]:
    """The agent, or the function `answer(call)`, that `path.py` or `path.py:name` holds.

    The file runs as a module would, with its own folder first on the path. Raises ConfigurationError in one line: it
    names the user's own error and the line where it happened.
    """
    path, name = _split(reference)
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}")
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        found = vars(_import(path))
    except OffhookError as error:
        raise ConfigurationError(f"{_where(error, path)}: {error}") from None
    except ModuleNotFoundError as error:
        raise ConfigurationError(_missing(error, path)) from None
    except Exception as error:
        raise ConfigurationError(f"{_where(error, path)}: {type(error).__name__}: {_first_line(error)}") from error
    except SystemExit as error:
        raise ConfigurationError(f"{path} ends the program itself (exit {error.code})") from None
    candidates = (name,) if name else NAMES
    for candidate in candidates:
        value = found.get(candidate)
        if isinstance(value, Agent) or (value is not None and callable(value) and not isinstance(value, type)):
            return value
    raise ConfigurationError(_nothing(path, candidates, found))


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"offhook_agent_{path.stem}", path.resolve())
    if spec is None or spec.loader is None:
        raise ConfigurationError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _split(reference: str) -> tuple[Path, str]:
    """`agent.py:name` in its two halves; the colon of `C:\\agent.py` is none."""
    path, colon, name = reference.rpartition(":")
    return (Path(path), name) if colon and name.isidentifier() and path.endswith(".py") else (Path(reference), "")


def _nothing(path: Path, wanted: tuple[str, ...], found: dict[str, Any]) -> str:
    agents = [key for key, value in found.items() if isinstance(value, Agent)]
    said = f"{path} holds no agent named " + " or ".join(f'"{name}"' for name in wanted)
    for name in wanted:
        if name in found and not agents:
            kind = type(found[name]).__name__
            return f'{said}: "{name}" is {"an" if kind[0] in "aeiouAEIOU" else "a"} {kind}, not an Agent'
    listed = ", ".join(sorted(agents or [key for key in found if not key.startswith("_")])) or "nothing"
    hint = f"; say {path}:{agents[0]}" if agents and len(wanted) > 1 else ""
    return f"{said}; it has {listed}{hint}"


def _missing(error: ModuleNotFoundError, path: Path) -> str:
    """A package can be installed; a module that one of ours, or of the user's, was thought to have, cannot."""
    name, kind = error.name or "", type(error).__name__
    if not name or "." in name or name == "offhook":
        return f"{_where(error, path)}: {kind}: {_first_line(error)}"
    return f"{_where(error, path)} needs the module {name}: pip install {name} ({kind})"


def _where(error: BaseException, path: Path) -> str:
    """The innermost line of the user's file that the error went through."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{path if Path(error.filename) == path.resolve() else error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.resolve()]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _first_line(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return error.msg
    return next(iter(str(error).splitlines()), "")
