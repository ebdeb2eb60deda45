"""How commands about keys open the vault, and what a refusal of it becomes."""

import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from autogrid.cli.output import BadInput, UnableToGoOn
from autogrid.cli.place import settings_for, with_database
from autogrid.security.envelope import UnableToOpenSecret
from autogrid.security.master import UnableToReadMasterKey
from autogrid.security.vault import Vault
from autogrid.services.credentials import UnableToCheckKey, UnableToRemoveKey, UnableToUseKey
from autogrid.services.keys import UnableToFindKeys, UnableToShowRecovery, vault_of
from autogrid.storage.credentials import UnableToFindCredential, UnableToKeepCredential
from autogrid.storage.database import Database

Result = TypeVar("Result")
REFUSALS: Final = (
    UnableToFindCredential,
    UnableToKeepCredential,
    UnableToUseKey,
    UnableToRemoveKey,
    UnableToFindKeys,
    UnableToShowRecovery,
)
FAILURES: Final = (UnableToCheckKey, UnableToReadMasterKey, UnableToOpenSecret)


def who() -> str:
    """Who asks, for the vault's records."""
    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "the command line"


def with_vault(data_dir: Path | None, ask: Callable[[Database, Vault], Awaitable[Result]]) -> Result:
    """What `ask` gives; what it refuses becomes BadInput, what cannot be done now UnableToGoOn."""
    try:
        vault = vault_of(settings_for(data_dir))
        return with_database(data_dir, lambda database: ask(database, vault))
    except REFUSALS as error:
        raise BadInput(str(error)) from None
    except FAILURES as error:
        raise UnableToGoOn(str(error)) from None
