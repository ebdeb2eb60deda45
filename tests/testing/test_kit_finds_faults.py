"""The test kit finds what is planted: the guide's strategy with one fault each, and the law that must see it."""

from pathlib import Path
from typing import NamedTuple

import pytest

from autogrid.testing.check import RUNNING, check_strategy, strategy_in
from autogrid.testing.fault import StrategyFault
from tests.testing.own import dip_source, forgetful

LIVELY = {"timeframe": "5m", "candles": "12", "dip": "0.01", "gain": "0.01"}


class Planted(NamedTuple):
    """A fault, as pairs of a text of the guide's strategy and what is put in its place."""

    law: str
    says: str
    changes: tuple[tuple[str, str], ...]


LOOK = "        if memory.start_price is None and"
LOOKED = """            return memory._replace(start_price=view.price)
        return memory
"""
HEAR = "        return memory._replace(highs=(*memory.highs, candle.high)[-self.warm_up :])"
BUY = "quantity = market.quantity(view.ledger.quote / (price * (ONE + market.quote_fee)))"
PRICE = "        price = market.price_down(exact(max(memory.highs)) * (ONE - self.dip))"
MEMORY = "class DipMemory(NamedTuple):"
NO_FILL = "        if fill is None:"
ONLY_WHOLE = '        if fill is None or order.status != "filled":'
GAIN = "        self.gain = "
ENDS = 'memory._replace(stage="leaving" if sell else "ended")'
GOAL = "held.cost / held.base * (ONE + self.gain)"
SOLD = "quantity = market.quantity(memory.held.base)"
AT_MARKET = (
    ('Target(buy, "buy", price, quantity)', 'Target(buy, "buy", view.price, quantity, "market")'),
    (PRICE, "        price = view.price"),
    (
        "            return memory._replace(exits=memory.exits + 1) if failed else memory\n",
        "            return memory._replace(exits=memory.exits + failed, number=memory.number + 1)\n",
    ),
)
"""Its purchases at market, and again at once where they come to nothing."""
CHANCE = f"{PRICE}\n        price += market.tick * __import__('random').randint(0, 9)"

PLANTED = {
    "global state": Planted(
        "pure", "HEARD", ((MEMORY, f"HEARD = [0]\n\n\n{MEMORY}"), (LOOK, f"        HEARD[0] += 1\n{LOOK}"))
    ),
    "a counter on self": Planted("pure", "the strategy itself", ((LOOK, f"        self.heard = view.at_ms\n{LOOK}"),)),
    "a memory that is changed in place": Planted(
        "pure",
        "changed the memory that it was given",
        (
            ("highs: tuple[float, ...]", "highs: Mapping[str, float]"),
            ('DipMemory("trading", (),', 'DipMemory("trading", {},'),
            (HEAR, "        memory.highs[str(candle.open_ms)] = candle.high\n        return memory._replace(exits=0)"),
            ("max(memory.highs)", "max(memory.highs.values())"),
        ),
    ),
    "a list in the memory": Planted(
        "pure", "is a list", ((HEAR, "        return memory._replace(highs=[*memory.highs, candle.high])"),)
    ),
    "a new memory at every look": Planted(
        "pure", "says the same", ((LOOKED, LOOKED.replace("return memory\n", "return memory._replace(exits=0)\n")),)
    ),
    "chance": Planted("pure", "asked the same twice", ((PRICE, CHANCE),)),
    "chance, seen in two runs": Planted("deterministic", "parts from the plain run", ((PRICE, CHANCE),)),
    "a clock": Planted("pure", "imports time", (("from decimal", "import time\nfrom decimal"),)),
    "state that is not in the memory": Planted(
        "resumable",
        "parts from the plain run",
        (
            (GAIN, f"        self.seen: list[float] = []\n{GAIN}"),
            (HEAR, f"        self.seen.append(candle.high)\n{HEAR}"),
            ("max(memory.highs)", "max(self.seen[-self.warm_up :] or [1.0])"),
        ),
    ),
    "a memory that is not in the records": Planted(
        "declared", "records of the entry", (("records=(DipMemory, Pool)", "records=(Pool,)"),)
    ),
    "a float where a figure of money stands": Planted(
        "resumable", "no figure of money", (("start_price=view.price", "start_price=float(view.price)"),)
    ),
    "more than its funds": Planted(
        "funds", "its buys need", ((BUY, BUY.replace("view.ledger.quote", "2 * view.ledger.quote")),)
    ),
    "fees forgotten": Planted("funds", "its sells need", (("fill.quantity - fee_base", "fill.quantity"),)),
    "slots that are used again": Planted("funds", "is used again", (('f"buy-{memory.number}"', '"buy"'),)),
    "one slot for buys and sells": Planted(
        "funds", "is now a sell's", (('f"buy-{memory.number}"', '"it"'), ('f"sell-{memory.number}"', '"it"'))
    ),
    "targets that follow the price without a bound": Planted(
        "skip",
        "targets() wants something else there",
        ((PRICE, "        price = market.price_down(view.price * (ONE - self.dip))"),),
    ),
    "coins lost on a part fill": Planted(
        "stop",
        "coins were forgotten",
        ((NO_FILL, ONLY_WHOLE), ("view.market.quantity(view.ledger.base)", "view.market.quantity(memory.held.base)")),
    ),
    "part fills that are not booked": Planted("cuts", "cut into parts, teaches", ((NO_FILL, ONLY_WHOLE),)),
    "a price beside the tick": Planted(
        "figures", "is not on the tick", (("view.market.price_up(held.cost / held.base * (ONE + self.gain))", GOAL),)
    ),
    "a quantity beside the lot": Planted("figures", "is not on the lot", ((SOLD, "quantity = memory.held.base"),)),
    "a profit that is no figure of money": Planted(
        "reports", "tally() gave", (("Tally(memory.profit,", "Tally(float(memory.profit),"),)
    ),
    "a stage that nobody knows": Planted("reports", "one of new, waiting", (('Status("running")', 'Status("busy")'),)),
    "no method that tells the start": Planted(
        "declared", "write the method `start_price`", (("def start_price(", "def started_at("),)
    ),
    "a division by the price that is not yet known": Planted(
        "candles", "DivisionByZero", ((HEAR, f"        ONE / view.price\n{HEAR}"),)
    ),
    "a purchase on a candle that was missed": Planted(
        "candles",
        "do not enter",
        (
            (HEAR, HEAR.replace("highs=", "exits=-1 if candle.close > candle.open else 0, highs=")),
            ('"buy", price, quantity)', '"buy", price, quantity, "market")'),
            (PRICE, "        price = view.price if memory.exits < 0 else ZERO"),
            ("_replace(number=memory.number + 1)", "_replace(number=memory.number + 1, exits=0)"),
        ),
    ),
    "a market order that is asked for again for ever": Planted("parts", "again and again", AT_MARKET),
    "trades to and fro that never end": Planted(
        "funds",
        "trades again and again",
        (
            *AT_MARKET,
            ("if memory.sell_at:", "if memory.number % 2:"),
            ('Target(sell, "sell", memory.sell_at, quantity)', 'Target(sell, "sell", view.price, quantity, "market")'),
            (BUY, "quantity = market.least_quantity(price) * 2"),
        ),
    ),
    "no answer to a stop": Planted("stop", "still stand at the end", ((ENDS, "memory"),)),
    "an end that keeps the coins": Planted(
        "stop", "coins were forgotten", (('"leaving" if sell else "ended"', '"ended"'),)
    ),
    "a limit that is not checked": Planted(
        "configuration", "DivisionByZero", ((GAIN, f'        self.odd = ONE / (self.dip - Decimal("0.5"))\n{GAIN}'),)
    ),
    "a preview that fails": Planted(
        "preview", "KeyError", (("    build=Dip,", "    build=Dip,\n    preview=lambda strategy, price: {}[price],"),)
    ),
}


def planted(tmp_path: Path, changes: tuple[tuple[str, str], ...]) -> Path:
    source = dip_source()
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    path = tmp_path / "dip.py"
    path.write_text(source, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_by_its_law(name: str, tmp_path: Path) -> None:
    fault = PLANTED[name]
    with forgetful():
        entry = strategy_in(planted(tmp_path, fault.changes))
        with pytest.raises(StrategyFault) as caught:
            check_strategy(entry, LIVELY, only=(fault.law,))
        assert caught.value.law == fault.law
        assert fault.says in str(caught.value)
        assert "check_strategy(dip, " in str(caught.value)
        with pytest.raises(StrategyFault):
            check_strategy(entry, LIVELY)


def test_a_fault_says_at_which_event_and_with_which_seed_it_is_seen_again(tmp_path: Path) -> None:
    with forgetful():
        entry = strategy_in(planted(tmp_path, PLANTED["slots that are used again"].changes))
        with pytest.raises(StrategyFault, match=r"at event \d+ \(\w+ at_ms") as caught:
            check_strategy(entry, LIVELY)
        again = str(caught.value).rpartition("See it again with ")[2]
        assert again.startswith("check_strategy(dip, {")
        seeds, only = (eval(again.partition(f"{word}=")[2].partition(")")[0] + ")") for word in ("seeds", "only"))
        with pytest.raises(StrategyFault) as second:
            check_strategy(entry, LIVELY, seeds=seeds, only=only)
        assert str(second.value) == str(caught.value)


def test_a_strategy_that_never_trades_has_shown_nothing(tmp_path: Path) -> None:
    with forgetful():
        entry = strategy_in(planted(tmp_path, ()))
        with pytest.raises(StrategyFault, match="nothing was traded"):
            check_strategy(entry, {**LIVELY, "dip": "0.5"})


def test_an_unknown_law_is_told(tmp_path: Path) -> None:
    with forgetful(), pytest.raises(ValueError, match="there is no law 'purity'"):
        check_strategy(strategy_in(planted(tmp_path, ())), only=("purity",))


def test_every_law_of_a_run_has_a_planted_fault() -> None:
    seen = {fault.law for fault in PLANTED.values()}
    others = {
        "replayed",
        "parts",
        "late",
        "rough",
        "pause",
        "future",
    }  # hold where those above hold, for all that is known
    assert seen >= set(RUNNING) - others
