"""The chain from the master key to a secret: it opens whole, and breaks where anything in it was changed."""

from pathlib import Path

import pytest

from autogrid.security.envelope import UnableToOpenSecret
from autogrid.security.master import GivenMaster, MasterFile, UnableToReadMasterKey, new_master_key
from autogrid.security.recovery import recovery_kit
from autogrid.security.secret import Secret
from autogrid.security.vault import KeyVersion, Sealer, UnableToFindMasterKey, Vault

CANARY = Secret("kanarienvogel-7f3a")


def vault_in(folder: Path, environment: str = "production") -> Vault:
    return Vault(MasterFile(folder / "master.key", own=True), environment)


def test_what_the_sealer_seals_only_the_vault_opens(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    keys = vault.first("local")
    sealed = Sealer("production").seal(CANARY, keys, "c1", "api_key")
    assert vault.open(sealed, [keys], "c1", "api_key") == CANARY
    assert not hasattr(Sealer("production"), "open")
    assert not hasattr(Sealer("production"), "master")


def test_neither_the_kept_keys_nor_what_is_sealed_hold_the_secret_or_the_master_key(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    keys = vault.first("local")
    shown = f"{keys!r}{vault!r}{vars(vault)}{vault.master.read()!r}{vault.seal(CANARY, keys, 'c1', 'api_key')}"
    assert CANARY.reveal() not in shown
    assert vault.master.read()[0].hex.reveal() not in shown


@pytest.mark.parametrize(("credential", "field"), [("c2", "api_key"), ("c1", "api_secret")])
def test_a_secret_that_was_moved_does_not_open(tmp_path: Path, credential: str, field: str) -> None:
    vault = vault_in(tmp_path)
    keys = vault.first("local")
    sealed = vault.seal(CANARY, keys, "c1", "api_key")
    with pytest.raises(UnableToOpenSecret, match="moved"):
        vault.open(sealed, [keys], credential, field)


def test_the_keys_of_one_tenant_do_not_serve_another(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    keys = vault.first("local")
    sealed = vault.seal(CANARY, keys, "c1", "api_key")
    with pytest.raises(UnableToOpenSecret):
        vault.open(sealed, [keys._replace(tenant="other")], "c1", "api_key")
    with pytest.raises(UnableToOpenSecret):
        vault.open(sealed, [vault.first("other")], "c1", "api_key")


def test_another_environment_opens_nothing(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    keys = vault.first("local")
    sealed = vault.seal(CANARY, keys, "c1", "api_key")
    with pytest.raises(UnableToOpenSecret, match="AUTOGRID_ENVIRONMENT"):
        vault_in(tmp_path, "testing").open(sealed, [keys], "c1", "api_key")


@pytest.mark.parametrize("field", ["version", "data_key", "public_key", "private_key"])
def test_keys_that_were_changed_are_not_used(tmp_path: Path, field: str) -> None:
    vault = vault_in(tmp_path)
    keys, others = vault.first("local"), vault.first("local")
    assert vault.checked(keys) == keys
    foreign = {"version": 2}.get(field, getattr(others, field))
    with pytest.raises(UnableToOpenSecret):
        vault.checked(keys._replace(**{field: foreign}))


def test_a_lost_master_key_is_named_and_no_other_is_made_in_its_place(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    keys = vault.first("local")
    sealed = vault.seal(CANARY, keys, "c1", "api_key")
    (tmp_path / "master.key").unlink()
    with pytest.raises(UnableToReadMasterKey, match="recovery kit"):
        vault.open(sealed, [keys], "c1", "api_key")
    assert not (tmp_path / "master.key").exists()
    other = Vault(GivenMaster(new_master_key().hex, "AUTOGRID_MASTER_KEY"), "production")
    with pytest.raises(UnableToFindMasterKey, match=f"{keys.master_id}.*AUTOGRID_MASTER_KEY"):
        other.open(sealed, [keys], "c1", "api_key")


def test_newer_keys_stand_beside_the_older_ones(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    old = vault.first("local")
    new = vault.next(old)
    assert (old.version, new.version) == (1, 2)
    assert new.public_key != old.public_key
    for keys in (old, new):
        sealed = vault.seal(CANARY, keys, "c1", "api_key")
        assert vault.open(sealed, [old, new], "c1", "api_key") == CANARY
    with pytest.raises(UnableToOpenSecret, match="version 2"):
        vault.open(vault.seal(CANARY, new, "c1", "api_key"), [old], "c1", "api_key")


def test_after_a_change_of_the_master_key_the_same_secrets_open_and_the_old_one_is_not_needed(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    keys = vault.first("local")
    sealed = vault.seal(CANARY, keys, "c1", "api_key")
    new, old = vault.master.renew()
    assert vault.open(sealed, [keys], "c1", "api_key") == CANARY
    again: KeyVersion = vault.rewrapped(keys)
    assert (keys.master_id, again.master_id) == (old.id, new.id)
    vault.master.settle({new.id})
    assert vault.open(sealed, [again], "c1", "api_key") == CANARY
    with pytest.raises(UnableToFindMasterKey):
        vault.open(sealed, [keys], "c1", "api_key")


def test_what_the_recovery_kit_says_brings_everything_back(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    keys = vault.first("local")
    sealed = vault.seal(CANARY, keys, "c1", "api_key")
    page = recovery_kit(vault.master.read(), vault.master.name, "2025-06-30")
    (tmp_path / "master.key").unlink()
    (line,) = [line for line in page.splitlines() if keys.master_id in line]
    path = tmp_path / "master.key"
    path.write_text(line.split()[0], encoding="utf-8")
    path.chmod(0o600)
    assert vault.open(sealed, [keys], "c1", "api_key") == CANARY
    assert "chmod 600 master.key" in page
    assert "2025-06-30" in page
