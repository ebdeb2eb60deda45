"""Keys that seal are changed without anything being lost, whatever breaks off, and the recovery kit is shown once."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from autogrid.security.envelope import UnableToOpenSecret
from autogrid.security.master import MasterFile, MasterKey, UnableToReadMasterKey, new_master_key
from autogrid.security.secret import Secret
from autogrid.security.vault import UnableToFindMasterKey, Vault
from autogrid.services.credentials import NewKey, add, listed, opened
from autogrid.services.keys import UnableToFindKeys, UnableToShowRecovery, recovery, rotate, vault_of
from autogrid.settings import Settings
from autogrid.storage import tables
from autogrid.storage.credentials import list_audit, lock_vault_keys
from autogrid.storage.database import Database
from tests.services.fake_account import account_to_check
from tests.storage.kept import opened as open_folder
from tests.storage.kept import within

SECRET = "geheim-4711-kanarienvogel"
NOW_MS = 1_750_000_000_000


def settings(folder: Path, **more: object) -> Settings:
    return Settings(data_dir=folder, **more)  # type: ignore[arg-type]


async def store(database: Database, vault: Vault, *names: str) -> None:
    for name in names:
        new = NewKey("binance", name, Secret(f"good_{name}"), Secret(SECRET))
        await add(database, vault, account_to_check, new, "me")


async def opens(database: Database, vault: Vault, name: str = "main") -> bool:
    """Whether the key comes out as it went in."""
    key = await opened(database, vault, name, "engine")
    return (key.api_key.reveal(), key.secret.reveal()) == (f"good_{name}", SECRET)


async def masters_in_use(database: Database) -> set[str]:
    async with database.writing() as connection:
        return {row.master_id for row in await lock_vault_keys(connection)}


@pytest.mark.asyncio
async def test_a_change_seals_all_anew_under_a_new_master_key_and_all_opens_for_an_engine_that_runs(
    tmp_path: Path,
) -> None:
    async with open_folder(tmp_path) as database, open_folder(tmp_path) as engine_database:
        vault, engine = vault_of(settings(tmp_path)), vault_of(settings(tmp_path))
        await store(database, vault, "main", "second")
        assert await opens(engine_database, engine)
        before = {row.id: row.sealed for row in await listed(database)}
        old = vault.master.read()
        for _ in range(3):
            done = await rotate(database, vault, NOW_MS, "me")
            assert (done.secrets, done.master_is_new) == (4, True)
            assert await opens(engine_database, engine)
            assert await opens(engine_database, engine, "second")
            assert await masters_in_use(database) == {done.master_id}
            assert [key.id for key in vault.master.read()] == [done.master_id]
        for row in await listed(database):
            assert not set(before[row.id].values()) & set(row.sealed.values())
            assert all(text.startswith("v1:4:") for text in row.sealed.values())
        async with database.writing() as connection:
            assert [row.version for row in await lock_vault_keys(connection)] == [3, 4]
        assert old[0].id not in (tmp_path / "master.key").read_text(encoding="utf-8")


@pytest.mark.asyncio
async def test_what_was_being_sealed_during_a_change_opens_after_it(tmp_path: Path) -> None:
    async with open_folder(tmp_path) as database:
        vault = vault_of(settings(tmp_path))
        await store(database, vault, "main")
        (row,) = await listed(database)
        await rotate(database, vault, NOW_MS, "me")
        async with database.writing() as connection:
            change = tables.credentials.update().where(tables.credentials.c.id == row.id)
            await connection.execute(change.values(sealed=json.dumps(dict(row.sealed))))
        assert await opens(database, vault)


class Breaking(MasterFile):
    """A master file whose process is killed before it forgets old keys, or right after the new one is there."""

    def __init__(self, folder: Path, *, at: str) -> None:
        super().__init__(folder / "master.key", own=True)
        self.at = at

    def renew(self) -> tuple[MasterKey, ...]:
        found = super().renew()
        if self.at == "renewed":
            raise KeyboardInterrupt
        return found

    def settle(self, used: object) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["renewed", "kept"])
def test_a_change_that_breaks_off_anywhere_loses_nothing_and_the_next_one_ends_it(tmp_path: Path, at: str) -> None:
    whole = vault_of(settings(tmp_path))
    within(tmp_path, lambda database: store(database, whole, "main"))
    breaking = Vault(Breaking(tmp_path, at=at), "production")
    with pytest.raises(KeyboardInterrupt):
        within(tmp_path, lambda database: rotate(database, breaking, NOW_MS, "me"))
    assert len(whole.master.read()) == 2
    assert within(tmp_path, lambda database: opens(database, whole))
    done = within(tmp_path, lambda database: rotate(database, whole, NOW_MS, "me"))
    assert [key.id for key in whole.master.read()] == [done.master_id]
    assert within(tmp_path, lambda database: opens(database, whole))


def test_a_change_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    vault = vault_of(settings(tmp_path))

    async def work(database: Database) -> None:
        await store(database, vault, "main")
        (row,) = await listed(database)
        async with database.writing() as connection:
            await connection.execute(tables.credentials.update().values(sealed='{"api_key": "v1:1:AAAA"}'))
        async with database.writing() as connection:
            before = await lock_vault_keys(connection)
        with pytest.raises(UnableToOpenSecret):
            await rotate(database, vault, NOW_MS, "me")
        async with database.writing() as connection:
            assert await lock_vault_keys(connection) == before
            await connection.execute(tables.credentials.update().values(sealed=json.dumps(dict(row.sealed))))
        assert await opens(database, vault)

    within(tmp_path, work)


@pytest.mark.asyncio
async def test_a_master_key_from_the_environment_is_changed_by_putting_the_new_one_first(tmp_path: Path) -> None:
    old, new = new_master_key(), new_master_key()

    def given(*keys: MasterKey) -> Vault:
        return vault_of(settings(tmp_path, master_key=SecretStr(" ".join(key.hex.reveal() for key in keys))))

    async with open_folder(tmp_path) as database:
        await store(database, given(old), "main")
        assert not (tmp_path / "master.key").exists()
        same = await rotate(database, given(old), NOW_MS, "me")
        assert (same.master_is_new, same.master_id) == (False, old.id)
        with pytest.raises(UnableToFindMasterKey):
            await opened(database, given(new), "main", "engine")
        done = await rotate(database, given(new, old), NOW_MS, "me")
        assert (done.master_is_new, done.master_id) == (True, new.id)
        assert await opens(database, given(new))
        with pytest.raises(UnableToFindMasterKey):
            await opened(database, given(old), "main", "engine")


@pytest.mark.asyncio
async def test_a_lost_master_key_is_not_replaced_by_a_new_one_when_another_key_is_added(tmp_path: Path) -> None:
    async with open_folder(tmp_path) as database:
        vault = vault_of(settings(tmp_path))
        await store(database, vault, "main")
        (tmp_path / "master.key").unlink()
        with pytest.raises(UnableToReadMasterKey, match="recovery kit"):
            await store(database, vault, "second")
        assert not (tmp_path / "master.key").exists()
        assert [row.name for row in await listed(database)] == ["main"]


@pytest.mark.asyncio
async def test_a_foreign_public_key_in_the_database_gets_no_secret(tmp_path: Path) -> None:
    async with open_folder(tmp_path) as database:
        vault = vault_of(settings(tmp_path))
        await store(database, vault, "main")
        async with database.writing() as connection:
            foreign = vault.first("local").public_key
            await connection.execute(tables.vault_keys.update().values(public_key=foreign))
        with pytest.raises(UnableToOpenSecret):
            await store(database, vault, "second")
        assert [row.name for row in await listed(database)] == ["main"]


def settings_refusal(folder: Path, **more: object) -> str:
    with pytest.raises(UnableToReadMasterKey) as caught:
        vault_of(settings(folder, **more))
    return str(caught.value)


def test_two_master_keys_at_once_are_refused(tmp_path: Path) -> None:
    said = settings_refusal(tmp_path, master_key=SecretStr("x"), master_key_file=tmp_path / "key")
    assert "AUTOGRID_MASTER_KEY and AUTOGRID_MASTER_KEY_FILE are both set" in said


@pytest.mark.asyncio
async def test_the_recovery_kit_is_shown_once_for_each_master_key(tmp_path: Path) -> None:
    async with open_folder(tmp_path) as database:
        vault = vault_of(settings(tmp_path))
        with pytest.raises(UnableToFindKeys):
            await recovery(database, vault, NOW_MS, "me")
        with pytest.raises(UnableToFindKeys):
            await rotate(database, vault, NOW_MS, "me")
        await store(database, vault, "main")
        kit = await recovery(database, vault, NOW_MS, "me")
        (master,) = vault.master.read()
        assert master.hex.reveal() in kit.page.reveal()
        assert "2025-06-15" in kit.page.reveal()
        assert master.hex.reveal() not in repr(kit)
        with pytest.raises(UnableToShowRecovery, match="keys rotate"):
            await recovery(database, vault, NOW_MS, "me")
        await rotate(database, vault, NOW_MS, "me")
        assert (await recovery(database, vault, NOW_MS, "me")).master_id != kit.master_id
        async with database.reading() as connection:
            shown = await list_audit(connection, "recovery kit shown")
            assert len(shown) == 2
            audit = str((await connection.execute(select(tables.vault_audit))).all())
        assert master.hex.reveal() not in audit


def test_settings_show_no_secret(tmp_path: Path) -> None:
    secret = SecretStr(SECRET)
    shown = settings(tmp_path, master_key=secret, api_key=secret, api_secret=secret)
    assert SECRET not in f"{shown!r}{shown}{shown.model_dump_json()}"
