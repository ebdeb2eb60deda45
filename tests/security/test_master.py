"""The master key is made once, for its owner only, and changed without a moment in which it is lost."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from autogrid.security.master import GivenMaster, MasterFile, UnableToReadMasterKey, new_master_key, parse
from autogrid.security.secret import Secret

ONE = "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OTHER = "f0e1d2c3b4a5968778695a4b3c2d1e0fffeeddccbbaa99887766554433221100"
posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")


def own(folder: Path) -> MasterFile:
    return MasterFile(folder / "master.key", own=True)


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "master.key"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(UnableToReadMasterKey) as caught:
        act()
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_it_is_made_at_first_use_and_is_the_same_from_then_on(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "down"
    (made,) = own(folder).make()
    assert own(folder).make() == own(folder).read() == (made,)
    assert len(made.key) == 32
    assert own(tmp_path).make()[0].hex != made.hex
    assert names(folder) == ["master.key"]


@posix
def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    own(folder).make()
    assert stat.S_IMODE((folder / "master.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    own(folder).renew()
    assert stat.S_IMODE((folder / "master.key").stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601, 0o666])
def test_a_file_that_others_can_reach_is_refused_with_the_mend(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, ONE, mode)
    for act in (own(tmp_path).read, own(tmp_path).make, own(tmp_path).renew, MasterFile(path, own=False).read):
        said = refusal(act)
        assert f"chmod 600 '{path}'" in said
        assert ONE not in said
    assert path.read_text(encoding="utf-8") == ONE


def test_reading_makes_none_and_says_how_to_bring_the_lost_one_back(tmp_path: Path) -> None:
    assert "recovery kit" in refusal(own(tmp_path).read)
    assert "recovery kit" in refusal(own(tmp_path).renew)
    assert names(tmp_path) == []


def test_a_file_that_is_named_is_never_made_or_changed(tmp_path: Path) -> None:
    named = MasterFile(tmp_path / "master.key", own=False)
    assert "umask 077; openssl rand -hex 32" in refusal(named.make)
    written(tmp_path, f"{ONE}\n{OTHER}\n")
    before = named.read()
    assert named.renew() == before
    named.settle({before[1].id})
    assert named.read() == before


@pytest.mark.parametrize("text", [ONE, f"{ONE}\n", f"  {ONE.upper()}\r\n"])
def test_what_openssl_prints_is_accepted(text: str) -> None:
    (key,) = parse(text, "it")
    assert key.key == bytes.fromhex(ONE)
    assert key.id == parse(ONE, "it")[0].id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        (ONE[:-1], "no master key"),
        (ONE + "0", "no master key"),
        (ONE[:-1] + "g", "no master key"),
        (ONE[:32] + " " + ONE[32:], "no master key"),
        ("é" * 64, "no master key"),
        ("0" * 64, "chance"),
        ("0123456789abcdef" * 4, "chance"),
        (f"{ONE}\n{'a' * 64}", "chance"),
    ],
)
def test_what_is_no_key_is_refused_without_telling_it(text: str, says: str) -> None:
    said = refusal(lambda: parse(text, "AUTOGRID_MASTER_KEY"))
    assert says in said
    assert "AUTOGRID_MASTER_KEY" in said
    assert "openssl rand -hex 32" in said
    assert not text.strip() or text.strip() not in said


def test_a_file_that_is_no_text_or_a_folder_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(b"\xff\xfe\x00")
    assert "no text" in refusal(own(tmp_path).read)
    path.unlink()
    path.mkdir(mode=0o700)
    assert "cannot be read" in refusal(own(tmp_path).read)


def test_a_new_one_stands_first_and_the_old_one_stays_until_it_is_not_needed(tmp_path: Path) -> None:
    source = own(tmp_path)
    (old,) = source.make()
    new, beside = source.renew()
    assert beside == old
    assert new != old
    source.settle({old.id, new.id})
    assert source.read() == (new, old)
    source.settle({new.id})
    assert source.read() == (new,)
    assert names(tmp_path) == ["master.key"]


def test_settling_never_takes_out_all(tmp_path: Path) -> None:
    source = own(tmp_path)
    made = source.make()
    source.settle(set())
    source.settle({"unknown"})
    assert source.read() == made


def test_given_keys_are_read_and_nothing_else(tmp_path: Path) -> None:
    source = GivenMaster(Secret(f"{ONE} {OTHER}"), "AUTOGRID_MASTER_KEY")
    keys = source.read()
    assert [key.hex.reveal() for key in keys] == [ONE, OTHER]
    assert source.make() == source.renew() == keys
    source.settle({keys[1].id})
    assert source.read() == keys


def test_a_key_is_named_without_being_told() -> None:
    key = new_master_key()
    assert key.hex.reveal() not in repr(key)
    assert key.id not in key.hex.reveal()
