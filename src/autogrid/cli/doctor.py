"""`autogrid doctor`: is this machine fit to run bots, and what to do where it is not."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, cast

import click

from autogrid.cli.doctor_checks import Finding, Reached, local_findings, network_findings
from autogrid.cli.output import BadInput, say_json
from autogrid.settings import UnableToReadSettings, load_settings

EXCHANGES: Final = ("binance", "bybit", "mexc")
SIGNS: Final = {"good": ("✓", "green"), "note": ("!", "yellow"), "broken": ("✗", "red")}
Probe = Callable[[str], Awaitable[Reached]]


@click.command()
@click.option("--offline", is_flag=True, help="Ask no exchange.")
@click.option("--data-dir", metavar="DIR", help="Where state is kept; wins over AUTOGRID_DATA_DIR.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def doctor(offline: bool, data_dir: str | None, as_json: bool) -> None:
    """Check this machine, each trouble with its mend; exit 1 if something is broken.

    An exchange that cannot be reached is a note: backtests and tapes need none.
    """
    findings = examine(_folder(data_dir), None if offline else _probe())
    well = all(finding.state != "broken" for finding in findings)
    if as_json:
        say_json({"well": well, "findings": findings})
    else:
        for finding in findings:
            _tell(finding)
        click.echo("\nNothing is broken." if well else "\nMend what is marked ✗, then run `autogrid doctor` again.")
    if not well:
        raise click.exceptions.Exit(1)


def examine(data_dir: Path, probe: Probe | None) -> list[Finding]:
    """All findings; `probe` asks an exchange, None: none is asked."""
    findings = list(local_findings(data_dir))
    if probe is not None:
        findings += network_findings(asyncio.run(_ask(probe)))
    return findings


async def _ask(probe: Probe) -> list[Reached]:
    return list(await asyncio.gather(*(probe(exchange) for exchange in EXCHANGES)))


def _probe() -> Probe:
    return cast(Probe, importlib.import_module("autogrid.cli.exchange_probe").probe)


def _folder(data_dir: str | None) -> Path:
    try:
        return load_settings(data_dir).data_dir
    except UnableToReadSettings as error:
        raise BadInput(str(error)) from None


def _tell(finding: Finding) -> None:
    sign, colour = SIGNS[finding.state]
    click.echo(f"{click.style(sign, fg=colour)} {click.style(finding.name, bold=True)}: {finding.says}")
    if finding.mend is not None:
        click.echo(f"    {finding.mend}")
