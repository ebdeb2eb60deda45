"""Which keys of an exchange may be used: a rule over what a key may do, without any I/O.

A key that can withdraw or transfer is refused, whoever vouches for it. What an exchange does not say is refused too,
unless the person has looked and vouches for it (MEXC tells nobody what a key may do).
"""

from dataclasses import dataclass
from typing import Final, Literal

from autogrid.engine.venue import Rights

TITLES: Final = {"binance": "Binance", "bybit": "Bybit", "mexc": "MEXC"}
"""The exchanges on which live bots trade, and how they write themselves."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a key may be used."""

    state: Literal["good", "refused", "unsaid"]
    """`unsaid`: it would be good if somebody vouched for what the exchange does not say."""
    reason: str = ""
    """What is wrong and what would be right; empty where it is good."""
    warnings: tuple[str, ...] = ()


def judge(exchange: str, rights: Rights, *, vouched: bool) -> Verdict:
    """The verdict. `vouched`: a person has looked, and says that the key can neither withdraw nor transfer."""
    title = TITLES.get(exchange, exchange)
    if rights.withdraws:
        return Verdict(
            "refused", f"the key can withdraw or transfer; at {title} take those rights from it, or make a new one"
        )
    if rights.reads is False:
        return Verdict("refused", f"the key may not read the account; at {title} give it the right to read")
    if rights.trades is False:
        return Verdict("refused", f"the key may not trade; at {title} give it the right to trade spot, and no other")
    asked = (rights.withdraws, "withdraw or transfer"), (rights.trades, "trade"), (rights.reads, "read the account")
    unsaid = [words for said, words in asked if said is None]
    if unsaid and not vouched:
        return Verdict(
            "unsaid",
            f"{title} does not say whether the key can {', '.join(unsaid)}; look there whether it can withdraw or "
            "transfer, and add it with --cannot-withdraw if it cannot",
        )
    return Verdict("good", warnings=tuple(_warnings(title, rights, unsaid)))


def _warnings(title: str, rights: Rights, unsaid: list[str]) -> list[str]:
    found = []
    if unsaid:
        found.append(f"you vouch for what {title} does not say: that the key can neither withdraw nor transfer")
    if rights.bound is False:
        found.append(f"the key works from any internet address; bind it to this machine's at {title}")
    elif rights.bound is None:
        found.append(f"{title} does not say whether the key is bound to an internet address; bind it to this machine's")
    return found
