"""`AUTOGRID_DATABASE_URL`: the whole of AutoGrid on PostgreSQL, and its password nowhere to be seen."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from autogrid.cli.app import autogrid
from autogrid.settings import UnableToReadSettings, load_settings
from tests.candles import csv_text, random_walk, write_text
from tests.storage.kept import Site

SECRET = "hunter2"


def test_a_url_that_is_none_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRID_DATABASE_URL", f"mysql://me:{SECRET}@host/db")
    with pytest.raises(UnableToReadSettings, match=r"AUTOGRID_DATABASE_URL is '\*\*\*': it must") as caught:
        load_settings()
    assert SECRET not in str(caught.value)


def test_the_password_is_not_in_the_settings_as_they_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRID_DATABASE_URL", f"postgresql://me:{SECRET}@host/db")
    settings = load_settings()
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert settings.database_url.get_secret_value().endswith("@host/db")


def test_without_a_url_it_is_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOGRID_DATABASE_URL", raising=False)
    assert load_settings().database_url.get_secret_value() == ""


def test_a_server_that_is_away_ends_a_command_with_one_sentence(tmp_path: Path) -> None:
    env = {"AUTOGRID_DATA_DIR": str(tmp_path), "AUTOGRID_DATABASE_URL": f"postgresql://me:{SECRET}@127.0.0.1:1/db"}
    result = CliRunner().invoke(autogrid, ["bot", "list"], env=env)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "cannot be reached" in result.stderr
    assert SECRET not in result.output


def test_a_paper_bot_lives_on_postgres_from_its_making_to_its_end(postgres: Site, tmp_path: Path) -> None:
    tape = write_text(tmp_path / "binance_BTCUSDT_1m.csv", csv_text(random_walk(7, 300, price="100")))
    env = {"AUTOGRID_DATA_DIR": str(tmp_path / "data"), "AUTOGRID_DATABASE_URL": postgres.url}

    def told(*words: str) -> str:
        result = CliRunner().invoke(autogrid, words, env=env)
        assert result.exit_code == 0, result.output
        return result.stdout

    grid = ["--set", "lower=98", "--set", "upper=102", "--set", "grids=16"]
    rules = ["--fee", "0.001", "--tick", "0.01", "--lot", "0.001", "--min-notional", "5"]
    what = ["--account", "paper", "--symbol", "BTC/USDT", "--investment", "1000", "--name", "one"]
    told("bot", "create", "grid", *what, "--tape", str(tape), "--speed", "0", *rules, *grid)
    told("bot", "start", "one")
    told("engine", "--until-idle")
    assert "ended" in told("bot", "list")
    assert len(json.loads(told("trades", "--bot", "one", "--json"))["trades"]) > 5
    told("bot", "replay", "one")
    assert not (tmp_path / "data" / "autogrid.db").exists()
