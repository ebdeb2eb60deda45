"""The recovery kit: a page to print, with which stored keys open again after the master key was lost."""

from collections.abc import Sequence

from autogrid.security.master import HEX_DIGITS, MasterKey


def recovery_kit(keys: Sequence[MasterKey], source: str, day: str) -> str:
    """The page. `source`: where the master key stands today; `day`: when the page was made, such as 2025-06-30."""
    lines = "\n".join(f"    {key.hex.reveal()}   (its id is {key.id})" for key in keys)
    return f"""AutoGrid recovery kit, made on {day}

Whoever has this page and a copy of your database can trade with your exchange keys. Print it, put it where you keep
passports, and keep it apart from your backups. It is shown once.

Master key ({HEX_DIGITS} digits):

{lines}

It stands in {source} today. Should that be lost:

 1. Bring back the database from a backup: autogrid.db in the data folder.
 2. Write the {HEX_DIGITS} digits, and nothing else, into the file master.key beside it, and run: chmod 600 master.key
    (Or set AUTOGRID_MASTER_KEY to them.)
 3. Run: autogrid credentials check

After `autogrid keys rotate` this page opens only backups from before; show and print a new one then.
If you think that somebody has seen this page: delete your keys at the exchanges first, then rotate.
"""
