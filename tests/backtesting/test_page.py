"""The page of a backtest: whole in itself, safe with any text, small with any number of candles."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autogrid.backtesting import page as pages
from autogrid.backtesting.page import page, page_data, write_page
from autogrid.backtesting.result import Result
from tests.backtesting.test_summary import START_MS, WHY, a_result, of_signals, with_figures

PARTS = Path(pages.__file__).parent / "page"


class Reader(HTMLParser):
    """Gathers tags with their attributes, and the text of scripts and styles."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags:
            tag, attributes = self.tags[-1]
            key = attributes.get("id") or tag
            self.texts[key] = self.texts.get(key, "") + data

    def json(self, name: str) -> Any:
        return json.loads(self.texts[name])


def numbers(column: dict[str, Any]) -> list[float]:
    whole = np.cumsum([column["first"], *column["steps"]])
    return [float(each) / 10 ** column["decimals"] for each in whole]


def texts(column: dict[str, Any]) -> list[str | None]:
    return [column["values"][place] for place in column["index"]]


def long_result(count: int, fills: int) -> Result:
    chance = np.random.default_rng(5)
    closes = 100_000 * np.exp(np.cumsum(chance.normal(0, 0.0006, count)))
    opens = np.concatenate(([100_000], closes[:-1]))
    wicks = np.abs(chance.normal(0, 20, (2, count)))
    highs, lows = np.maximum(opens, closes) + wicks[0], np.minimum(opens, closes) - wicks[1]
    row = a_result().fills[1]
    rows = tuple(
        replace(
            row,
            at_ms=START_MS + int(at) * 60_000,
            price=Decimal(90_000 + 400 * int(line)),
            profit=Decimal(int(line)) / 7,
            slot=f"{line}.{at % 90}",
        )
        for at, line in zip(sorted(chance.integers(0, count, fills)), chance.integers(0, 50, fills), strict=True)
    )
    return Result(
        summary=a_result().summary,
        fills=rows,
        lines=tuple(Decimal(90_000 + 400 * line) for line in range(51)),
        times=START_MS + 60_000 * np.arange(1, count + 1, dtype=np.int64),
        prices=np.round(np.stack([opens, highs, lows, closes], 1), 2),
        equity=closes / 10,
        holding=closes / 9,
        drawdown=1 - closes / np.maximum.accumulate(closes),
    )


def test_nothing_is_asked_of_any_network() -> None:
    content = page(a_result())
    assert not re.search(r"https?://|//[a-z0-9-]+\.[a-z]{2,}/", content.replace("http://www.w3.org/2000/svg", ""))
    for tag, attributes in Reader(content).tags:
        assert tag not in {"iframe", "object", "embed", "img", "form", "base"}
        assert "src" not in attributes
        assert attributes.get("href") in {None, "#main", "data:,"}
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|import)\s*\(", content)
    assert not re.search(r"@import|url\(", content)


def test_the_policy_lets_only_the_pages_own_style_and_script_run() -> None:
    content = page(a_result())
    reader = Reader(content)
    policy = next(a["content"] for tag, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for element in ("style", "script"):
        found = re.findall(rf"<{element}>(.*?)</{element}>", content, re.DOTALL)
        assert len(found) == 1
        digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy
    assert not any(name.startswith("on") or name == "style" for _, a in reader.tags for name in a)


EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u2028{{$title}}"


def test_a_text_with_markup_stays_text() -> None:
    market = {"symbol": EVIL, "base": EVIL, "quote": EVIL, "tick": "0.01"}
    result = with_figures(strategy=EVIL, market=market, warnings=[EVIL], config={EVIL: EVIL})
    content = page(result)
    reader = Reader(content)
    assert [tag for tag, _ in reader.tags if tag in {"script", "img"}] == ["script"] * 3
    assert reader.json("data")["summary"]["strategy"] == EVIL
    assert "alert(1)</script>" not in content


def test_a_reason_with_markup_stays_text_and_loses_what_steers_it() -> None:
    content = page(of_signals(why=f"{EVIL}\x1b[2J\u202e\ud800"))
    content.encode()
    reader = Reader(content)
    assert [tag for tag, _ in reader.tags if tag in {"script", "img"}] == ["script"] * 3
    shown = texts(reader.json("data")["fills"]["why"])
    assert shown[0] == EVIL.replace("\u2028", " ") + "\ufffd[2J\ufffd\ufffd (1)"
    assert "alert(1)</script>" not in content


def test_every_fill_bears_its_reason_each_text_once() -> None:
    fills = page_data(of_signals(buys=2))["fills"]
    assert texts(fills["why"]) == [f"{WHY} (1)", "target of its entry", f"{WHY} (2)", "target of its entry"]
    assert len(fills["why"]["values"]) == 3
    assert texts(page_data(a_result())["fills"]["why"]) == [""] * 4


@pytest.mark.parametrize(("strategy", "en", "pt"), [("grid", "Grid", "Grid"), ("my_own", "my_own", "my_own")])
def test_the_strategy_goes_by_its_title_and_one_of_the_users_own_by_its_name(strategy: str, en: str, pt: str) -> None:
    result = with_figures(strategy=strategy)
    assert page_data(result)["titles"] == {"en": en, "pt-BR": pt}
    assert Reader(page(result)).texts["title"].strip() == f"{en} BTC/USDT · AutoGrid"


def test_words_for_other_strategies_stand_beside_words_of_the_grid_and_name_none() -> None:
    for language in json.loads((PARTS / "texts.json").read_text()).values():
        assert set(language["other"]) <= set(language)
        assert set(language["figure_other"]) <= set(language["figure"])
        said = " ".join([*language["other"].values(), *(" ".join(pair) for pair in language["figure_other"].values())])
        assert not re.search(r"(?i)grid|round trip|ciclo|célula|linha", said)


def test_the_script_never_reads_a_text_as_markup() -> None:
    script = "".join(path.read_text() for path in PARTS.glob("*.js"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)


def test_the_figures_are_there_without_a_script() -> None:
    content = page(a_result())
    assert "1,000.00 USDT would have become 1,080.50 USDT" in content[content.index("<noscript>") :]


def test_the_data_gives_back_the_curves_and_fills() -> None:
    data = Reader(page(a_result())).json("data")
    curves, fills = data["curves"], data["fills"]
    assert [1000 * each for each in numbers(curves["time"])] == a_result().times.tolist()
    assert curves["start"] == START_MS
    assert numbers(curves["close"]) == [100, 95, 110.01]
    assert numbers(curves["low"]) == [99, 94, 95]
    assert numbers(curves["high"]) == [101, 100, 111]
    assert numbers(curves["equity"]["last"]) == [1000, 990.5, 1080.5]
    assert numbers(curves["holding"]["last"]) == [1000, 950, 1100]
    assert numbers(curves["drawdown"]) == [0, 0.0095, 0]
    assert data["lines"] == ["90", "100", "110", "120"]
    assert (fills["count"], fills["side"], fills["left_out"]) == (4, "bsbs", 0)
    assert texts(fills["price"]) == ["100", "110", "100", "110"]
    assert texts(fills["fee"]) == ["0.0005 BTC", "0.055 USDT"] * 2
    assert texts(fills["profit"]) == [None, "4.945"] * 2
    assert [1000 * each for each in numbers(fills["at"])] == [row.at_ms for row in a_result().fills]


def test_half_a_million_candles_stay_small_and_lose_no_extreme() -> None:
    result = long_result(525_600, 4_000)
    content = page(result)
    curves = Reader(content).json("data")["curves"]
    assert len(content.encode()) < 1_500_000
    size = curves["candles_per_point"]
    assert len(numbers(curves["low"])) == -(-525_600 // size) <= pages.MOST_BUCKETS
    highs = [result.prices[at : at + size, 1].max() for at in range(0, 525_600, size)]
    lows = [result.equity[at : at + size].min() for at in range(0, 525_600, size)]
    falls = [result.drawdown[at : at + size].max() for at in range(0, 525_600, size)]
    assert numbers(curves["high"]) == pytest.approx(highs, abs=1e-9)
    assert numbers(curves["equity"]["low"]) == pytest.approx(lows, abs=0.0006)
    assert numbers(curves["drawdown"]) == pytest.approx(falls, abs=0.000006)
    assert [1000 * each for each in numbers(curves["time"])] == [
        int(result.times[min(at + size, 525_600) - 1]) for at in range(0, 525_600, size)
    ]


def test_fills_beyond_the_most_are_counted_not_hidden() -> None:
    data = page_data(long_result(30_000, pages.MOST_FILLS + 7))
    assert (data["fills"]["count"], data["fills"]["left_out"]) == (pages.MOST_FILLS, 7)


def test_the_most_candles_and_the_most_fills_together_stay_small() -> None:
    assert len(page(long_result(525_600, pages.MOST_FILLS)).encode()) < 1_500_000


def test_a_run_without_fills_lines_or_more_than_one_candle_still_makes_a_page() -> None:
    full = a_result()
    cut = slice(0, 1)
    result = Result(
        full.summary,
        (),
        (),
        full.times[cut],
        full.prices[cut],
        full.equity[cut],
        full.holding[cut],
        full.drawdown[cut],
    )
    data = Reader(page(result)).json("data")
    assert data["fills"]["count"] == 0
    assert numbers(data["curves"]["close"]) == [100]


def keys(tree: object, path: str = "") -> set[str]:
    if not isinstance(tree, dict):
        return {path}
    return set().union(*(keys(value, f"{path}/{name}") for name, value in tree.items()))


def test_both_languages_say_the_same_things_with_the_same_places() -> None:
    said = json.loads((PARTS / "texts.json").read_text())
    assert set(said) == {"en", "pt-BR"}
    assert keys(said["en"]) == keys(said["pt-BR"])
    for ours, theirs in ((said["en"], said["pt-BR"]), (said["en"]["other"], said["pt-BR"]["other"])):
        for key, words in ours.items():
            if isinstance(words, str):
                assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", theirs[key])), key
    for language in said.values():
        for figures in (language["figure"], language["figure_other"]):
            assert all(len(pair) == 2 and all(pair) for pair in figures.values())


def test_every_text_the_script_asks_for_exists() -> None:
    said = json.loads((PARTS / "texts.json").read_text())["en"]
    sources = "".join(path.read_text() for path in [*PARTS.glob("*.js"), PARTS / "page.html"])
    asked = set(re.findall(r"\b(?:say|fit|heading)\('(\w+)'", sources))
    asked |= set(re.findall(r'data-(?:text|label)="(\w+)"', sources))
    asked |= set(re.findall(r"'((?:slot|open|starts)_\w+)'", sources))
    assert len(asked) > 30
    assert asked <= set(said)


def test_the_file_is_written_whole_over_an_older_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("older")
    write_page(a_result(), target)
    assert target.read_text(encoding="utf-8") == page(a_result())
    assert list(tmp_path.iterdir()) == [target]


def test_a_page_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.mkdir()
    with pytest.raises(OSError, match=r"page\.html"):
        write_page(a_result(), target)
    assert list(tmp_path.iterdir()) == [target]
