"""Every setting: its name in the environment, its unit, its default.

A setting is read from `AUTOGRID_` and its name in capitals (`AUTOGRID_DATA_DIR`); an option of the command line wins.
What belongs to something named is set with two underscores between: `AUTOGRID_EXCHANGES__BINANCE__CONNECT_TO`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

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


def _address(given: object) -> object:
    """`host:port` as a pair; an IPv6 address stands in brackets."""
    if not isinstance(given, str):
        return given
    host, _, port = given.strip().rpartition(":")
    name = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)", host)
    if name is None or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("it must be a host and a port, like 127.0.0.1:28443")
    return name[1] or name[2], int(port)


def _readable_file(given: object) -> object:
    """An absolute path to a file that is there; `~` is the user's own."""
    if not isinstance(given, str | Path) or not str(given).strip():
        raise ValueError("it is empty; give a file, or leave it unset")
    path = Path(given).expanduser().absolute()
    if not path.is_file():
        raise ValueError("there is no such file")
    return path


class ExchangeSettings(BaseModel):
    """Where the connections of one exchange go, other than to itself: as curl's `--connect-to` and `--cacert`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connect_to: Annotated[tuple[str, int] | None, BeforeValidator(_address)] = None
    """Host and port to which every connection for any host of the exchange goes; names and URLs stay as they are."""
    ca_file: Annotated[Path | None, BeforeValidator(_readable_file)] = None
    """Certificates (PEM) to trust in place of the usual ones."""


def _by_exchange(given: object) -> object:
    """The names of exchanges are lower-case, as ccxt calls them."""
    if not isinstance(given, Mapping):
        raise ValueError("name an exchange: AUTOGRID_EXCHANGES__BINANCE__CONNECT_TO")
    return {str(name).lower(): its for name, its in given.items()}


def _database_url(given: SecretStr) -> SecretStr:
    """A URL of PostgreSQL, or nothing."""
    url = given.get_secret_value().strip()
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("it must be like postgresql://user:password@host:5432/database; unset, SQLite is used")
    return SecretStr(url)


_SECRET = frozenset({"database_url", "master_key", "api_key", "api_secret"})
"""What is never shown, right or wrong."""


class Settings(BaseSettings):
    """What can be set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", frozen=True)

    data_dir: Annotated[Path, BeforeValidator(_folder)] = Field(
        default_factory=lambda: platformdirs.user_data_path("autogrid", appauthor=False)
    )
    """Where all state lives: candles, rules of markets, the database. Default: the platform's user data folder."""
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = SecretStr("")
    """A PostgreSQL database for all but files, with its password; empty: SQLite in `data_dir`."""
    master_key: SecretStr | None = None
    """The key under which all keys of exchanges are sealed: what `openssl rand -hex 32` prints. Several, separated by
    spaces, stand for a change of it, the newest first."""
    master_key_file: Path | None = None
    """A file that holds it instead; only its owner may read it. Without both it is `master.key` in `data_dir`."""
    environment: str = "production"
    """What is sealed in one environment does not open in another."""
    api_key: SecretStr | None = None
    """For `credentials add --from-env`."""
    api_secret: SecretStr | None = None
    """For `credentials add --from-env`."""
    exchanges: Annotated[dict[str, ExchangeSettings], BeforeValidator(_by_exchange)] = Field(default_factory=dict)
    """By the exchange's name; an exchange that is not there is reached at itself."""


def load_settings(data_dir: Path | str | None = None) -> Settings:
    """The settings now; `data_dir` wins over the environment. Raises UnableToReadSettings."""
    given: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    try:
        return Settings(**given)
    except ValidationError as error:
        fault = error.errors()[0]
        where = [str(part) for part in fault["loc"]]
        source = "--data-dir" if where[0] in given else PREFIX + "__".join(where).upper()
        if fault["type"] == "extra_forbidden":
            raise UnableToReadSettings(f"There is no setting {source}; see docs/reference/settings.md") from None
        value = "***" if where[0] in _SECRET else fault["input"]
        raise UnableToReadSettings(f"{source} is '{value}': {_wrong(fault['msg'])}") from None
    except SettingsError:
        raise UnableToReadSettings(
            f"{PREFIX}EXCHANGES is set by name: {PREFIX}EXCHANGES__BINANCE__CONNECT_TO"
        ) from None


def _wrong(message: str) -> str:
    told = message.removeprefix("Value error, ").removeprefix("Input should be ")
    return told if told != message else message.lower()
