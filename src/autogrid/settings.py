"""Every setting: its name in the environment, its unit, its default.

A setting is read from `AUTOGRID_` and its name in capitals (`AUTOGRID_DATA_DIR`); an option of the command line wins.
"""

from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "AUTOGRID_"


class UnableToReadSettings(ValueError):
    """A setting has a value that it cannot have; the text is one sentence for who set it."""

    code = "bad-setting"


def _folder(given: object) -> object:
    """An absolute folder; `~` is the user's own."""
    if isinstance(given, str) and not given.strip():
        raise ValueError("it is empty; give a folder, or leave it unset")
    if not isinstance(given, str | Path):
        return given
    path = Path(given).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError("it is a file, and must be a folder")
    return path


class Settings(BaseSettings):
    """What can be set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    data_dir: Annotated[Path, BeforeValidator(_folder)] = Field(
        default_factory=lambda: platformdirs.user_data_path("autogrid", appauthor=False)
    )
    """Where all state lives: candles, rules of markets, the database. Default: the platform's user data folder."""


def load_settings(data_dir: Path | str | None = None) -> Settings:
    """The settings now; `data_dir` wins over the environment. Raises UnableToReadSettings."""
    given: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    try:
        return Settings(**given)
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0])
        source = "--data-dir" if name in given else PREFIX + name.upper()
        raise UnableToReadSettings(f"{source} is '{fault['input']}': {_wrong(fault['msg'])}") from None


def _wrong(message: str) -> str:
    told = message.removeprefix("Value error, ").removeprefix("Input should be ")
    return told if told != message else message.lower()
