"""`autogrid credentials` and `autogrid keys`: keys go in, are checked and removed, and never come out."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from autogrid.cli.app import autogrid
from autogrid.security.secret import Secret
from autogrid.services.key_rights import TITLES
from autogrid.wiring.credentials import account_to_check
from tests.services.fake_account import ANSWERS

SECRET = "geheim-4711-kanarienvogel"


class Desk:
    """A data folder, what the command line says on it, and all that it ever said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.said = ""

    def run(self, *words: str, typed: str | None = None, api_key: str | None = None, **env: str) -> Result:
        given = {} if api_key is None else {"AUTOGRID_API_KEY": api_key, "AUTOGRID_API_SECRET": SECRET}
        everywhere = {"AUTOGRID_DATA_DIR": str(self.folder), **given, **env}
        result = CliRunner().invoke(autogrid, list(words), input=typed, env=everywhere)
        self.said += result.output + repr(result.exception)
        return result

    def told(self, *words: str, **more: Any) -> str:
        result = self.run(*words, **more)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str, code: int = 0, **more: Any) -> dict[str, Any]:
        result = self.run(*words, "--json", **more)
        assert result.exit_code == code, result.output
        assert result.stdout.count("\n") == 1
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def refused(self, *words: str, code: int = 2, **more: Any) -> str:
        result = self.run(*words, **more)
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        return result.stderr

    def add(self, api_key: str = "good_abc", name: str = "main", *more: str) -> dict[str, Any]:
        return self.json("credentials", "add", "binance", "--name", name, "--from-env", *more, api_key=api_key)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("autogrid.cli.credentials.ACCOUNTS", "tests.services.fake_account")
    return Desk(tmp_path)


def test_a_key_from_the_environment_is_checked_stored_listed_and_removed(desk: Desk) -> None:
    added = desk.add()
    assert (added["name"], added["exchange"], added["state"], added["warnings"]) == ("main", "binance", "good", [])
    (listed,) = desk.json("credentials", "list")["credentials"]
    assert listed == added
    assert "main" in desk.told("credentials", "list")
    (checked,) = desk.json("credentials", "check")["credentials"]
    assert (checked["state"], checked["fault"]) == ("good", None)
    assert "main of binance: good" in desk.told("credentials", "check", "main")
    assert desk.json("credentials", "remove", "main")["id"] == added["id"]
    assert "No key is stored" in desk.told("credentials", "list")


def test_a_key_is_asked_for_without_being_shown(desk: Desk) -> None:
    said = desk.told("credentials", "add", "binance", "--name", "main", typed=f"good_abc\n{SECRET}\n")
    assert "is good and stored sealed" in said
    assert "keys recovery" in said
    assert "good_abc" not in desk.said


def test_nothing_that_is_said_or_kept_holds_the_secret(desk: Desk) -> None:
    desk.add()
    for words in (("list",), ("check",), ("check", "main"), ("remove", "main")):
        desk.run("credentials", *words)
        desk.run("credentials", *words, "--json")
    for api_key in ("withdraws_1", "away_1", "wrong", "unsaid_1"):
        desk.run("credentials", "add", "mexc", "--name", "x", "--from-env", api_key=api_key)
    desk.run("keys", "rotate")
    assert SECRET not in desk.said
    assert "good_abc" not in desk.said
    kept = b"".join(path.read_bytes() for path in desk.folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in kept
    assert b"good_abc" not in kept


@pytest.mark.parametrize(
    ("api_key", "code", "says"),
    [
        ("withdraws_1", 2, "can withdraw or transfer"),
        ("looks-only_1", 2, "may not trade"),
        ("wrong_1", 2, "copy both anew"),
        ("unsaid_1", 2, "--cannot-withdraw"),
        ("away_1", 1, "could not be asked"),
    ],
)
def test_a_key_that_may_not_be_used_is_refused_in_one_sentence(desk: Desk, api_key: str, code: int, says: str) -> None:
    words = ("credentials", "add", "binance", "--name", "main", "--from-env")
    assert says in desk.refused(*words, code=code, api_key=api_key)
    assert desk.json("credentials", "list") == {"credentials": []}


def test_a_variable_that_is_missing_is_named(desk: Desk) -> None:
    words = ("credentials", "add", "binance", "--name", "main", "--from-env")
    assert "AUTOGRID_API_KEY is not set" in desk.refused(*words)
    assert "AUTOGRID_API_SECRET is not set" in desk.refused(*words, AUTOGRID_API_KEY="good_abc")


def test_who_types_a_key_of_an_exchange_that_says_nothing_is_asked_to_vouch_for_it(desk: Desk) -> None:
    words = ("credentials", "add", "mexc", "--name", "main")
    left = desk.run(*words, typed=f"unsaid_1\n{SECRET}\nn\n")
    assert left.exit_code == 1
    assert desk.json("credentials", "list") == {"credentials": []}
    said = desk.told(*words, typed=f"unsaid_1\n{SECRET}\ny\n")
    assert "you vouch" in said
    (row,) = desk.json("credentials", "list")["credentials"]
    assert row["confirmed"] is True


def test_who_gives_the_option_vouches_at_once_and_never_for_a_key_that_can_withdraw(desk: Desk) -> None:
    words = ("credentials", "add", "mexc", "--name", "main", "--from-env", "--cannot-withdraw")
    assert "can withdraw" in desk.refused(*words, api_key="withdraws_1")
    assert desk.json(*words, api_key="unsaid_1")["confirmed"] is True


def test_a_check_that_fails_ends_with_1_and_tells_of_every_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.add()
    desk.add("good_other", "second")
    monkeypatch.setattr("tests.services.fake_account.ANSWERS", {**ANSWERS, "good": ANSWERS["away"]})
    found = desk.json("credentials", "check", code=1)["credentials"]
    assert [(row["name"], row["state"], "could not be asked" in row["fault"]) for row in found] == [
        ("main", "good", True),
        ("second", "good", True),
    ]
    monkeypatch.setattr("tests.services.fake_account.ANSWERS", {**ANSWERS, "good": ANSWERS["withdraws"]})
    result = desk.run("credentials", "check", "main")
    assert result.exit_code == 1
    assert "main of binance: refused; the key can withdraw" in result.stdout


def test_a_key_that_is_not_there_is_refused_with_those_that_are(desk: Desk) -> None:
    desk.add()
    for command in ("check", "remove"):
        assert "there are main" in desk.refused("credentials", command, "mian")


def test_keys_are_rotated_and_the_recovery_kit_is_shown_once(desk: Desk) -> None:
    assert "nothing to change" in desk.refused("keys", "rotate")
    assert "nothing to recover" in desk.refused("keys", "recovery")
    desk.add()
    page = desk.told("keys", "recovery")
    assert (desk.folder / "master.key").read_text(encoding="utf-8").strip() in page
    assert "shown once" in desk.refused("keys", "recovery")
    rotated = desk.json("keys", "rotate")
    assert (rotated["secrets"], rotated["master_is_new"]) == (2, True)
    assert desk.json("keys", "recovery")["master_id"] == rotated["master_id"]
    assert "sealed anew" in desk.told("keys", "rotate")
    assert desk.json("credentials", "check")["credentials"][0]["state"] == "good"


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_a_master_key_that_others_can_read_stops_with_the_mend(desk: Desk) -> None:
    desk.add()
    (desk.folder / "master.key").chmod(0o644)
    assert "chmod 600" in desk.refused("credentials", "check", code=1)
    assert "chmod 600" in desk.refused("keys", "rotate", code=1)


def test_a_master_key_as_openssl_prints_it_is_taken_from_the_environment(desk: Desk) -> None:
    master = "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    words = ("credentials", "add", "binance", "--name", "main", "--from-env")
    desk.json(*words, api_key="good_abc", AUTOGRID_MASTER_KEY=master + "\n")
    assert not (desk.folder / "master.key").exists()
    assert "recovery kit" in desk.refused("credentials", "check", code=1)
    assert desk.json("credentials", "check", AUTOGRID_MASTER_KEY=master)["credentials"][0]["state"] == "good"
    said = desk.refused("credentials", "check", code=1, AUTOGRID_MASTER_KEY=master[:-1])
    assert "AUTOGRID_MASTER_KEY" in said
    assert master[:-1] not in said


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", TITLES)
async def test_the_real_wiring_opens_an_account_that_can_be_checked_and_shows_no_key(exchange: str) -> None:
    account = await account_to_check(exchange, Secret("good_abc"), Secret(SECRET))
    try:
        assert SECRET not in repr(account)
        assert callable(account.rights)
        assert callable(account.balances)
    finally:
        await account.aclose()
