"""The keys that seal the keys of exchanges: where they come from, their change, and the page that brings them back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.security.master import FILE_NAME, GivenMaster, MasterFile, MasterSource, UnableToReadMasterKey
from autogrid.security.recovery import recovery_kit
from autogrid.security.secret import Secret
from autogrid.security.vault import KeyVersion, Vault
from autogrid.settings import PREFIX, Settings
from autogrid.storage.credentials import (
    VaultKeyRow,
    add_vault_key,
    drop_vault_key,
    list_audit,
    list_credentials,
    lock_vault_keys,
    note,
    set_sealed,
    set_vault_key,
    vault_keys,
)
from autogrid.storage.database import Database

KIT_SHOWN: Final = "recovery kit shown"


class UnableToFindKeys(Exception):
    """Nothing was ever sealed here, so there are no keys to change or to recover."""

    code = "nothing-sealed"


class UnableToShowRecovery(Exception):
    """The recovery kit was shown already. The sentence says how to get another."""

    code = "recovery-shown"


class Rotated(NamedTuple):
    """What a change of keys did."""

    secrets: int
    """So many were sealed anew."""
    master_id: str
    """Of the master key now."""
    master_is_new: bool


class Kit(NamedTuple):
    """A recovery kit."""

    master_id: str
    page: Secret


def vault_of(settings: Settings) -> Vault:
    """The vault of these settings. Raises `UnableToReadMasterKey` where two master keys are set."""
    return Vault(_master(settings), settings.environment)


def _master(settings: Settings) -> MasterSource:
    if settings.master_key is not None and settings.master_key_file is not None:
        raise UnableToReadMasterKey(f"{PREFIX}MASTER_KEY and {PREFIX}MASTER_KEY_FILE are both set; unset one of them")
    if settings.master_key is not None:
        return GivenMaster(Secret(settings.master_key.get_secret_value()), f"{PREFIX}MASTER_KEY")
    if settings.master_key_file is not None:
        return MasterFile(settings.master_key_file.expanduser(), own=False)
    return MasterFile(settings.data_dir / FILE_NAME, own=True)


async def versions_of(connection: AsyncConnection, tenant: str) -> list[KeyVersion]:
    """All versions of a tenant's keys, oldest first."""
    return [_version(row) for row in await vault_keys(connection, tenant)]


async def newest_of(connection: AsyncConnection, vault: Vault, tenant: str, now_ms: int) -> KeyVersion:
    """The keys that a tenant's secrets are sealed with, made where there are none. Must be in a writing transaction.

    Raises `UnableToReadMasterKey`, `UnableToOpenSecret`.
    """
    everyone = await lock_vault_keys(connection)
    its = [row for row in everyone if row.tenant == tenant]
    if its:
        return vault.checked(_version(its[-1]))
    if everyone:
        vault.checked(_version(everyone[-1]))  # the master key was there once, so another is not made in its place
    made = vault.first(tenant)
    await add_vault_key(connection, VaultKeyRow(*made, made_ms=now_ms))
    return made


async def rotate(database: Database, vault: Vault, now_ms: int, by: str) -> Rotated:
    """Give every tenant new keys, seal all secrets anew, and take a new master key where it is kept by us.

    Whatever breaks off, all that is stored opens: the old master key goes when nothing kept needs it any more. One
    older version of each tenant's keys stays, for what was being sealed meanwhile. Raises `UnableToFindKeys`,
    `UnableToReadMasterKey`, `UnableToOpenSecret`.
    """
    async with database.writing() as connection:
        rows = await lock_vault_keys(connection)
        if not rows:
            raise UnableToFindKeys("no key of an exchange was ever stored here, so there is nothing to change")
        for row in rows:
            vault.checked(_version(row))
        after = vault.master.renew()[0].id
        count = 0
        for tenant in sorted({row.tenant for row in rows}):
            its = [row for row in rows if row.tenant == tenant]
            count += await _rotate_tenant(connection, vault, its, now_ms, by)
            await note(connection, now_ms, by, "keys changed", words=f"master key {after}", tenant=tenant)
    async with database.writing() as connection:
        vault.master.settle({row.master_id for row in await lock_vault_keys(connection)})
    return Rotated(count, after, after not in {row.master_id for row in rows})


async def _rotate_tenant(
    connection: AsyncConnection, vault: Vault, rows: Sequence[VaultKeyRow], now_ms: int, by: str
) -> int:
    keys = [_version(row) for row in rows]
    newer = vault.next(keys[-1])
    await add_vault_key(connection, VaultKeyRow(*newer, made_ms=now_ms))
    credentials = await list_credentials(connection, newer.tenant)
    for credential in credentials:
        sealed = {}
        for field, text in credential.sealed.items():
            secret = vault.open(text, keys, credential.id, field)
            sealed[field] = vault.seal(secret, newer, credential.id, field)
        await set_sealed(connection, credential, sealed)
        await note(connection, now_ms, by, "sealed anew", credential.id, tenant=newer.tenant)
    for row in rows[:-1]:
        await drop_vault_key(connection, row.tenant, row.version)
    again = vault.rewrapped(keys[-1])
    await set_vault_key(connection, VaultKeyRow(*again, made_ms=rows[-1].made_ms))
    return sum(len(credential.sealed) for credential in credentials)


async def recovery(database: Database, vault: Vault, now_ms: int, by: str) -> Kit:
    """The recovery kit, once for each master key. Raises `UnableToShowRecovery`, and as `rotate`."""
    async with database.writing() as connection:
        rows = await lock_vault_keys(connection)
        if not rows:
            raise UnableToFindKeys(
                "no key of an exchange was ever stored here, so there is nothing to recover; first: "
                "autogrid credentials add"
            )
        for row in rows:
            vault.checked(_version(row))
        needed = {row.master_id for row in rows}
        masters = [master for master in vault.master.read() if master.id in needed]
        newest = masters[0].id
        if newest in {shown.note for shown in await list_audit(connection, KIT_SHOWN)}:
            raise UnableToShowRecovery(
                f"the recovery kit of master key {newest} was shown already, and is shown once; if it is lost, run: "
                "autogrid keys rotate, and then this again"
            )
        await note(connection, now_ms, by, KIT_SHOWN, words=newest)
    day = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%d}"
    return Kit(newest, Secret(recovery_kit(masters, vault.master.name, day)))


def _version(row: VaultKeyRow) -> KeyVersion:
    return KeyVersion(row.tenant, row.version, row.master_id, row.data_key, row.public_key, row.private_key)
