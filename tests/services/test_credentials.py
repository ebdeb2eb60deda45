"""Keys of exchanges: nothing unsafe is stored, nothing is stored half, and what is stored shows itself nowhere."""

import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import select, update

from autogrid.engine.venue import ExchangeAway
from autogrid.security.envelope import UnableToOpenSecret
from autogrid.security.secret import Secret
from autogrid.security.vault import Vault
from autogrid.services.credentials import (
    Account,
    NewKey,
    UnableToCheckKey,
    UnableToRemoveKey,
    UnableToUseKey,
    UnableToVouchForKey,
    add,
    check,
    credential_json,
    listed,
    opened,
    remove,
)
from autogrid.services.keys import vault_of
from autogrid.settings import Settings
from autogrid.storage import tables
from autogrid.storage.bots import create_bot
from autogrid.storage.credentials import UnableToFindCredential, UnableToKeepCredential, list_audit
from autogrid.storage.database import Database
from tests.services.fake_account import FakeAccount, account_to_check
from tests.storage.kept import new_bot, within

T = TypeVar("T")
SECRET = "geheim-4711-kanarienvogel"


def key(api_key: str = "good_abc", name: str = "main", exchange: str = "binance", *, vouched: bool = False) -> NewKey:
    return NewKey(exchange, name, Secret(api_key), Secret(SECRET), vouched)


def done(folder: Path, work: Callable[[Database, Vault], Awaitable[T]]) -> T:
    """What `work` gives, every account closed after it."""
    before = FakeAccount.living
    try:
        return within(folder, lambda database: work(database, vault_of(Settings(data_dir=folder))))
    finally:
        assert FakeAccount.living == before, "an account was left open"


def added(folder: Path, new: NewKey) -> tuple[str, ...]:
    """A key that was added; the warnings."""
    return done(folder, lambda database, vault: add(database, vault, account_to_check, new, "me")).warnings


def files(folder: Path) -> bytes:
    """Every byte in the data folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_safe_key_is_stored_sealed_and_comes_out_for_the_engine(tmp_path: Path) -> None:
    assert added(tmp_path, key()) == ()

    async def look(database: Database, vault: Vault) -> None:
        exchange, api_key, secret = await opened(database, vault, "main", "engine")
        assert (exchange, api_key.reveal(), secret.reveal()) == ("binance", "good_abc", SECRET)
        (row,) = await listed(database)
        assert (row.state, row.confirmed, row.rights.withdraws) == ("good", False, False)
        assert SECRET not in repr(row)
        assert "good_abc" not in repr(row)
        assert not {"sealed", "api_key"} & credential_json(row).keys()

    done(tmp_path, look)
    everything = files(tmp_path)
    assert SECRET.encode() not in everything
    assert b"good_abc" not in everything


def test_what_a_clipboard_leaves_around_a_key_is_taken_off(tmp_path: Path) -> None:
    added(tmp_path, NewKey(" Binance", "main", Secret(" good_abc\n"), Secret(f"\t{SECRET} ")))
    _, api_key, secret = done(tmp_path, lambda database, vault: opened(database, vault, "main", "engine"))
    assert (api_key.reveal(), secret.reveal()) == ("good_abc", SECRET)


def test_a_secret_in_the_form_of_a_file_is_taken(tmp_path: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----"
    added(tmp_path, key()._replace(secret=Secret(pem + "\n")))
    assert done(tmp_path, lambda database, vault: opened(database, vault, "main", "engine")).secret.reveal() == pem


@pytest.mark.parametrize(
    ("new", "refusal", "says"),
    [
        (key("withdraws_1"), UnableToUseKey, "can withdraw"),
        (key("withdraws_1", vouched=True), UnableToUseKey, "can withdraw"),
        (key("looks-only_1"), UnableToUseKey, "may not trade"),
        (key("unsaid_1", exchange="mexc"), UnableToVouchForKey, "MEXC does not say"),
        (key("wrong_1"), UnableToUseKey, "copy both anew"),
        (key("blind_1"), UnableToUseKey, "rights to read"),
        (key("late_1"), UnableToCheckKey, "does not tell.*recvWindow"),
        (key("away_1"), UnableToCheckKey, "try again later"),
        (key("lost_1"), UnableToCheckKey, "try again later"),
        (key(exchange="kraken"), UnableToUseKey, "binance, bybit, mexc"),
        (key(name="paper"), UnableToKeepCredential, "'paper'"),
        (key(name="ALL"), UnableToKeepCredential, "'ALL'"),
        (key(name="a b"), UnableToKeepCredential, "'a b'"),
        (key(name=""), UnableToKeepCredential, "name"),
        (key(""), UnableToUseKey, "API key is empty"),
        (key("good_a b"), UnableToUseKey, "API key holds a space"),
        (key("good_a\u200bb"), UnableToUseKey, "strange"),
        (key("good_\udcff"), UnableToUseKey, "strange"),
        (key("good_" + "a" * 9_000), UnableToUseKey, "too many"),
        (key(SECRET), UnableToUseKey, "the same text"),
    ],
)
def test_a_key_that_may_not_be_used_is_refused_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, new: NewKey, refusal: type[Exception], says: str
) -> None:
    with pytest.raises(refusal, match=says) as caught:
        added(tmp_path, new)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in shown
    assert new.api_key.reveal() not in str(caught.value) or not new.api_key

    async def nothing(database: Database, _: Vault) -> None:
        async with database.reading() as connection:
            for table in (tables.credentials, tables.vault_keys, tables.vault_audit):
                assert (await connection.execute(select(table))).all() == []

    done(tmp_path, nothing)


def test_words_of_the_exchange_are_told_without_the_key_in_them(tmp_path: Path) -> None:
    new = key("away")._replace(secret=Secret("geheim"))
    with pytest.raises(UnableToCheckKey) as caught:
        added(tmp_path, new)
    assert "GET /account?key=<secret> with <secret>" in str(caught.value)
    assert caught.value.__suppress_context__


def test_who_vouches_may_store_a_key_of_an_exchange_that_says_nothing(tmp_path: Path) -> None:
    warnings = added(tmp_path, key("unsaid_1", exchange="mexc", vouched=True))
    assert any("vouch" in warning for warning in warnings)
    (row,) = done(tmp_path, lambda database, _: listed(database))
    assert row.confirmed


def test_an_unbound_key_is_stored_with_a_warning(tmp_path: Path) -> None:
    (warning,) = added(tmp_path, key("unbound_1"))
    assert "any internet address" in warning


def test_a_taken_name_is_refused_before_the_exchange_is_asked(tmp_path: Path) -> None:
    added(tmp_path, key())
    before = FakeAccount.opened
    with pytest.raises(UnableToKeepCredential, match="'main' exists"):
        added(tmp_path, key("good_other"))
    assert FakeAccount.opened == before


def checked(folder: Path, answers: str) -> tuple[str, str]:
    """State and reason after a check in which the exchange answers so."""

    async def another(exchange: str, api_key: Secret, secret: Secret) -> Account:
        assert (api_key.reveal().split("_")[1], secret.reveal()) == ("abc", SECRET)
        return await account_to_check(exchange, Secret(answers), secret)

    row = done(folder, lambda database, vault: check(database, vault, another, "main", "me")).row
    return row.state, row.reason


def test_a_key_whose_rights_changed_later_is_refused_and_good_again_once_they_are_back(tmp_path: Path) -> None:
    added(tmp_path, key())
    for answers, says in (("withdraws", "can withdraw"), ("wrong", "copy both anew"), ("unsaid", "does not say")):
        state, reason = checked(tmp_path, answers)
        assert state == "refused"
        assert says in reason
        assert checked(tmp_path, "good") == ("good", "")


def test_a_check_for_which_somebody_vouched_remembers_it(tmp_path: Path) -> None:
    added(tmp_path, key("unsaid_abc", exchange="mexc", vouched=True))
    assert checked(tmp_path, "unsaid") == ("good", "")
    assert checked(tmp_path, "withdraws")[0] == "refused"


def test_a_check_that_does_not_reach_the_exchange_changes_nothing(tmp_path: Path) -> None:
    added(tmp_path, key())
    (before,) = done(tmp_path, lambda database, _: listed(database))
    with pytest.raises(UnableToCheckKey):
        checked(tmp_path, "away")
    assert done(tmp_path, lambda database, _: listed(database)) == [before]


def test_an_account_that_cannot_even_be_opened_is_told(tmp_path: Path) -> None:
    async def shut(exchange: str, api_key: Secret, secret: Secret) -> Account:
        raise ExchangeAway("no route")

    with pytest.raises(UnableToCheckKey, match="no route"):
        done(tmp_path, lambda database, vault: add(database, vault, shut, key(), "me"))


def test_a_key_is_not_removed_while_a_bot_needs_it(tmp_path: Path) -> None:
    added(tmp_path, key())

    async def busy(database: Database, vault: Vault) -> None:
        async with database.writing() as connection:
            await create_bot(connection, new_bot("grid-btc", account="main"), 1)
        with pytest.raises(UnableToRemoveKey, match=r"grid-btc"):
            await remove(database, "main", "me")
        await opened(database, vault, "main", "engine")
        async with database.writing() as connection:
            await connection.execute(update(tables.bots).values(actual="ended"))
        assert (await remove(database, "main", "me")).name == "main"
        with pytest.raises(UnableToFindCredential):
            await opened(database, vault, "main", "engine")

    done(tmp_path, busy)


def test_every_sealing_opening_and_removal_is_on_record(tmp_path: Path) -> None:
    added(tmp_path, key())
    checked(tmp_path, "good")

    async def look(database: Database, vault: Vault) -> list[tuple[str, str, str]]:
        await opened(database, vault, "main", "engine", "bot b1")
        await remove(database, "main", "me")
        async with database.reading() as connection:
            return [(row.by, row.act, row.note) for row in await list_audit(connection)]

    assert done(tmp_path, look) == [
        ("me", "sealed", "main of binance"),
        ("me", "opened", "to check it"),
        ("engine", "opened", "bot b1"),
        ("me", "removed", "main of binance"),
    ]


def test_a_secret_that_was_moved_to_another_row_of_the_database_does_not_open(tmp_path: Path) -> None:
    added(tmp_path, key())
    added(tmp_path, key("good_other", "second"))

    async def swap(database: Database, vault: Vault) -> None:
        rows = {row.name: row for row in await listed(database)}
        async with database.writing() as connection:
            moved = update(tables.credentials).where(tables.credentials.c.name == "main")
            other = select(tables.credentials.c.sealed).where(tables.credentials.c.id == rows["second"].id)
            await connection.execute(moved.values(sealed=(await connection.execute(other)).scalar_one()))
        with pytest.raises(UnableToOpenSecret, match="moved"):
            await opened(database, vault, "main", "engine")
        async with database.reading() as connection:
            assert [row.act for row in await list_audit(connection)] == ["sealed", "sealed"]

    done(tmp_path, swap)
