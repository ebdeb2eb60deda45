import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from autogrid.cli.app import autogrid
from autogrid.cli.demo.prices import made_up, range_around
from autogrid.cli.demo.scene import Scene, Spot
from autogrid.cli.demo.view import screen
from autogrid.engine.ports import Feed
from autogrid.services.picture import Names, picture_of
from autogrid.trading.event import CandleClosed
from autogrid.trading.matching import Point
from autogrid.trading.money import Price
from autogrid.wiring.demo import demo_feed
from tests.builders import D, Hand, bot_of
from tests.candles import csv_text, random_walk, write_text

pty = pytest.importorskip("pty", reason="there are terminals of this kind on Unix only")


def demo(*args: str) -> Result:
    return CliRunner().invoke(autogrid, ["demo", *args])


def scene(price: str = "10400") -> Scene:
    hand = Hand(*bot_of()).started()
    hand.price("10000")
    hand.fill("open-0")
    hand.accept_all()
    picture = picture_of(hand.bot, hand.state, (), D(price), Names("demo"))
    spots = [Spot(10_000 + i, "buy" if i % 7 == 0 else "") for i in range(60)]
    return Scene(picture, hand.bot.market, "made-up", "", "300 times faster than life", "9 s", spots)


def drawn(shown: Scene, width: int, height: int) -> list[str]:
    out = StringIO()
    Console(file=out, width=width, height=height, color_system=None, legacy_windows=False).print(
        screen(shown, width, height), end=""
    )
    return out.getvalue().rstrip("\n").split("\n")


def test_without_a_terminal_it_writes_a_line_per_event_and_a_summary() -> None:
    result = demo("--seed", "3", "--speed", "0", "--seconds", "1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "made-up prices, from the seed 3"
    assert lines[1].startswith("paper grid on BTC/USDT: 16 cells from ")
    assert "bought" in lines[2]
    assert any("sold" in line and "the round trip earned +" in line for line in lines)
    assert any(line.startswith("It made ") for line in lines)
    assert any(line.startswith("Just holding BTC would have made ") for line in lines)
    assert "The prices were made up: this shows how a grid works, not what it would earn." in lines
    assert any("autogrid backtest grid" in line for line in lines)
    assert any("autogrid bot create grid" in line for line in lines)


def test_a_tape_is_run_to_its_end(tmp_path: Path) -> None:
    tape = write_text(tmp_path / "ETHUSDT.csv", csv_text(random_walk(5, 300)))
    result = demo("--tape", str(tape), "--speed", "0", "--grids", "8")
    assert result.exit_code == 0
    assert "past prices: ETHUSDT.csv" in result.stdout
    assert "paper grid on ETH/USDT: 8 cells" in result.stdout
    assert "of past prices (" in result.stdout
    assert "made up" not in result.stdout


def test_the_same_seed_gives_the_same_trades(tmp_path: Path) -> None:
    tape = write_text(tmp_path / "BTCUSDT.csv", csv_text(random_walk(6, 200)))
    runs = [demo("--tape", str(tape), "--speed", "0").stdout.splitlines() for _ in range(2)]
    first, second = ([line for line in lines if line.startswith("20")] for lines in runs)
    assert first == second != []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--tape", "nowhere.csv"), "nowhere.csv"),
        (("--speed", "fast"), "--speed is fast"),
        (("--speed", "-1"), "--speed is -1"),
        (("--speed", "nan"), "--speed is nan"),
        (("--seconds", "0"), "--seconds is 0"),
        (("--symbol", "BTC"), "--symbol is 'BTC'"),
        (("--lower", "90000"), "--lower and --upper"),
        (("--seed", "1", "--investment", "1"), "at least"),
        (("--seed", "1", "--investment", "much"), "--investment: 'much' is not a number"),
        (("--seed", "1", "--grids", "1"), "grids"),
        (("--seed", "1", "--grids", "many"), "grids"),
        (("--seed", "1", "--lower", "110000", "--upper", "90000"), "swap"),
        (("--seed", "1", "--tape", "a.csv"), "not both"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(args: tuple[str, ...], says: str) -> None:
    result = demo(*args)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.parametrize(("width", "height"), [(44, 12), (60, 20), (75, 24), (76, 16), (80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("price", ["10400", "13000", "7000"])
def test_the_screen_fits_the_terminal_exactly(width: int, height: int, price: str) -> None:
    lines = drawn(scene(price), width, height)
    assert len(lines) == height
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("width", "height"), [(44, 12), (60, 20), (80, 24), (120, 40)])
def test_made_up_prices_and_paper_money_are_said_at_every_size(width: int, height: int) -> None:
    text = "\n".join(drawn(scene(), width, height))
    assert "MADE-UP PRICES" in text
    assert "paper money" in text


def test_where_not_all_lines_fit_those_around_the_price_are_shown_and_the_rest_counted() -> None:
    text = "\n".join(drawn(scene("8500"), 60, 12))
    assert "8,500.00" in text
    assert "more above" in text
    assert "12,000.00" not in text


def test_a_window_too_small_says_so() -> None:
    assert "larger" in " ".join(drawn(scene(), 30, 8))


def test_the_range_is_chosen_around_the_first_price() -> None:
    prices = made_up(3, 0)
    lower, upper = range_around(prices, 16)
    assert lower < prices.first < upper
    assert abs(upper / prices.first - prices.first / lower) < D("0.001")


class StillFeed:
    """A feed to which no price comes, or one that stands."""

    def __init__(self, price: str | None) -> None:
        self._price = price
        self._point: Point | None = None
        self.given_back = False

    async def reach(
        self, floor: Price | None, roof: Price | None, until_ms: int | None, *, every: bool
    ) -> Point | None:
        if self._price is None:
            await asyncio.Event().wait()
        self._point = Point(1, D(self._price or 0), False, None, 0)
        return self._point

    @property
    def waits(self) -> bool:
        return True

    async def ready(self) -> None:
        return

    def here(self) -> Point | None:
        return self._point

    def closed(self) -> CandleClosed | None:
        return None

    def ended(self) -> bool:
        return False

    def cursor(self) -> str:
        return ""

    def seek(self, cursor: str) -> None:
        return

    async def aclose(self) -> None:
        self.given_back = True


@pytest.mark.parametrize("price", [None, "100"])
def test_a_live_feed_is_taken_at_its_first_price_and_closed_where_none_comes(price: str | None) -> None:
    made: list[StillFeed] = []

    def factory(exchange: str, symbol: str) -> StillFeed:
        made.append(StillFeed(price))
        return made[0]

    feed: Feed | None = asyncio.run(demo_feed(factory, "binance", "BTC/USDT", 0.05))
    assert (feed is None) == (price is None)
    assert made[0].given_back == (price is None)


class Terminal:
    """`autogrid demo` in a terminal of its own."""

    def __init__(self, *args: str) -> None:
        self.ours, theirs = pty.openpty()
        command = [sys.executable, "-c", "from autogrid.cli.app import main; main()", "demo", *args]
        env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        self.text = ""

    def read_until(self, words: str, seconds: float = 30) -> bool:
        """Read what is drawn until `words` are among it."""
        ends = time.monotonic() + seconds
        while words not in self.text and time.monotonic() < ends:
            if select.select([self.ours], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):  # Linux tells the end of a terminal so
                    self.text += os.read(self.ours, 65_536).decode(errors="replace")
        return words in self.text

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.mark.parametrize("by", ["key", "signal"])
def test_in_a_terminal_it_draws_and_q_or_ctrl_c_ends_it_with_a_summary(by: str) -> None:
    terminal = Terminal("--seed", "3")
    try:
        assert terminal.read_until("q quits")
        assert "MADE-UP PRICES" in terminal.text
        assert "\x1b[?1049h" in terminal.text
        if by == "key":
            os.write(terminal.ours, b"q")
        else:
            terminal.process.send_signal(signal.SIGINT)
        assert terminal.read_until("What next\r\n")
        assert "\x1b[?1049l" in terminal.text
        assert terminal.read_until("autogrid bot create")
        assert terminal.process.wait(10) == 0
    finally:
        terminal.close()
