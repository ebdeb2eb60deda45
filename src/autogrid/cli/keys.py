"""`autogrid keys`: the keys under which the keys of exchanges are sealed."""

from pathlib import Path

import click

from autogrid.cli.bot_answers import json_option
from autogrid.cli.output import say_json
from autogrid.cli.place import data_dir_option
from autogrid.cli.vault_place import who, with_vault
from autogrid.services import keys as service
from autogrid.services.bots import now_ms


@click.group()
def keys() -> None:
    """The keys that seal what is stored: change them, print the recovery kit."""


@keys.command()
@data_dir_option
@json_option
def rotate(data_dir: Path | None, as_json: bool) -> None:
    """Take new keys and seal everything anew; the engine may run meanwhile.

    A master key that lies in the data folder is changed too. One from the environment is not: put the new one before
    the old, with a space between, run this, and take the old one out.
    """
    done = with_vault(data_dir, lambda database, vault: service.rotate(database, vault, now_ms(), who()))
    if as_json:
        say_json(done._asdict())
        return
    master = "a new master key" if done.master_is_new else "the same master key"
    click.echo(f"{done.secrets} secrets are sealed anew, under {master} ({done.master_id}).")
    if done.master_is_new:
        click.echo("The old recovery kit opens old backups only. Print the new one: autogrid keys recovery")


@keys.command()
@data_dir_option
@json_option
def recovery(data_dir: Path | None, as_json: bool) -> None:
    """Show the recovery kit, once: with it, stored keys open again after the master key was lost."""
    kit = with_vault(data_dir, lambda database, vault: service.recovery(database, vault, now_ms(), who()))
    if as_json:
        say_json({"master_id": kit.master_id, "page": kit.page.reveal()})
        return
    click.echo(kit.page.reveal(), nl=False)
