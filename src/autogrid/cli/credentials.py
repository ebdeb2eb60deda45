"""`autogrid credentials`: keys of exchanges, stored sealed; nobody can read them back."""

import importlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from autogrid.backtesting.report import harmless
from autogrid.cli.bot_answers import json_option
from autogrid.cli.output import BadInput, say_json
from autogrid.cli.place import data_dir_option, settings_for
from autogrid.cli.vault_place import who, with_vault
from autogrid.security.secret import Secret
from autogrid.security.vault import Vault
from autogrid.services import credentials as service
from autogrid.services.credentials import (
    Checked,
    NewKey,
    OpenAccount,
    UnableToCheckKey,
    UnableToVouchForKey,
    credential_json,
)
from autogrid.settings import PREFIX
from autogrid.storage.credentials import CredentialRow
from autogrid.storage.database import Database

ACCOUNTS: Final = "autogrid.wiring.credentials"


def account_opener() -> OpenAccount:
    """What opens accounts; it takes seconds to load, so it is loaded when an exchange is to be asked."""
    opener: OpenAccount = importlib.import_module(ACCOUNTS).account_to_check
    return opener


@click.group()
def credentials() -> None:
    """Keys of exchanges. A key is stored only once the exchange says that it cannot withdraw or transfer."""


@credentials.command()
@click.argument("exchange")
@click.option("--name", required=True, help="What bots call this account: bot create … --account NAME.")
@click.option("--from-env", is_flag=True, help="Read AUTOGRID_API_KEY and AUTOGRID_API_SECRET instead of asking.")
@click.option(
    "--cannot-withdraw",
    is_flag=True,
    help="You looked, and vouch that the key can neither withdraw nor transfer: where an exchange does not say (MEXC).",
)
@data_dir_option
@json_option
def add(exchange: str, name: str, from_env: bool, cannot_withdraw: bool, data_dir: Path | None, as_json: bool) -> None:
    """Check a key with EXCHANGE (binance, bybit, mexc) and store it sealed. It is asked for without being shown."""
    api_key, secret = _from_environment(data_dir) if from_env else _typed()
    new = NewKey(exchange, name, api_key, secret, cannot_withdraw)
    added = _added(new, data_dir)
    if isinstance(added, UnableToVouchForKey):
        if from_env or as_json:
            raise BadInput(str(added))
        click.echo(f"Note: {added}.", err=True)
        click.confirm("Have you looked, and can the key neither withdraw nor transfer?", abort=True, err=True)
        added = _added(new._replace(vouched=True), data_dir)
    assert isinstance(added, Checked), "vouched for, a key is refused or good"
    if as_json:
        say_json(credential_json(*added))
        return
    click.echo(f"{added.row.name} ({added.row.id}): the key of {added.row.exchange} is good and stored sealed.")
    _warn(added.warnings)
    click.echo("Print the recovery kit, if you have not yet: autogrid keys recovery")


def _added(new: NewKey, data_dir: Path | None) -> Checked | UnableToVouchForKey:
    opener = account_opener()

    async def ask(database: Database, vault: Vault) -> Checked | UnableToVouchForKey:
        try:
            return await service.add(database, vault, opener, new, who())
        except UnableToVouchForKey as unsaid:
            return unsaid

    return with_vault(data_dir, ask)


def _from_environment(data_dir: Path | None) -> tuple[Secret, Secret]:
    settings = settings_for(data_dir)
    if settings.api_key is None or settings.api_secret is None:
        missing = "API_KEY" if settings.api_key is None else "API_SECRET"
        raise BadInput(f"{PREFIX}{missing} is not set; --from-env needs {PREFIX}API_KEY and {PREFIX}API_SECRET")
    return Secret(settings.api_key.get_secret_value()), Secret(settings.api_secret.get_secret_value())


def _typed() -> tuple[Secret, Secret]:
    asked = [click.prompt(f"{what} (not shown)", hide_input=True, err=True) for what in ("API key", "Secret")]
    return Secret(asked[0]), Secret(asked[1])


@credentials.command("list")
@data_dir_option
@json_option
def list_(data_dir: Path | None, as_json: bool) -> None:
    """All keys, by name; what is sealed is not shown."""
    rows = with_vault(data_dir, lambda database, _: service.listed(database))
    if as_json:
        say_json({"credentials": [credential_json(row) for row in rows]})
        return
    if not rows:
        click.echo("No key is stored. Add one with: autogrid credentials add EXCHANGE --name NAME")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("id", "name", "exchange", "state", "checked", ""):
        table.add_column(title)
    for row in rows:
        day = f"{datetime.fromtimestamp(row.checked_ms / 1000, UTC):%Y-%m-%d %H:%M}"
        table.add_row(row.id, row.name, row.exchange, row.state, day, harmless(row.reason))
    Console().print(table)


@credentials.command()
@click.argument("meant", metavar="[NAME]", required=False)
@data_dir_option
@json_option
def check(meant: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Ask the exchange anew what a key may do, or what each may. Exit 1 where one is refused or cannot be checked."""
    if meant is None:
        names = [row.name for row in with_vault(data_dir, lambda database, _: service.listed(database))]
    else:
        names = [meant]
    opener, found, well = account_opener(), [], True
    for name in names:
        checked, fault = _checked(name, opener, data_dir)
        well = well and fault is None and checked.row.state == "good"
        found.append({**credential_json(*checked), "fault": fault})
        if not as_json:
            _say_checked(checked, fault)
    if as_json:
        say_json({"credentials": found})
    if not well:
        raise click.exceptions.Exit(1)


def _checked(name: str, opener: OpenAccount, data_dir: Path | None) -> tuple[Checked, str | None]:
    """The key after the check, or as it was and why it could not be checked."""

    async def ask(database: Database, vault: Vault) -> tuple[Checked, str | None]:
        try:
            return await service.check(database, vault, opener, name, who()), None
        except UnableToCheckKey as away:
            return Checked(await service.found(database, name), ()), str(away)

    return with_vault(data_dir, ask)


def _say_checked(checked: Checked, fault: str | None) -> None:
    row = checked.row
    says = fault or row.reason or "it can trade, and cannot withdraw or transfer"
    click.echo(f"{row.name} of {row.exchange}: {'not checked' if fault else row.state}; {harmless(says)}")
    _warn(checked.warnings)


@credentials.command()
@click.argument("meant", metavar="NAME")
@data_dir_option
@json_option
def remove(meant: str, data_dir: Path | None, as_json: bool) -> None:
    """Erase a key; refused while a bot needs it. At the exchange it lives on until you delete it there."""
    row: CredentialRow = with_vault(data_dir, lambda database, _: service.remove(database, meant, who()))
    if as_json:
        say_json(credential_json(row))
        return
    click.echo(f"{row.name} ({row.id}): erased here; delete it at {row.exchange} as well.")


def _warn(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        click.echo(f"  ! {harmless(warning)}")
