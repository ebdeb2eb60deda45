"""Rules of markets: what the three exchanges' answers mean, what is refused, and what is kept for later."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.exchanges.market_cache import KeptMarket, UnableToFindMarket, keep, kept_market, market_rules, path_of
from autogrid.exchanges.market_rules import fetch_market, market_from
from autogrid.exchanges.public_client import public_client, streaming_client
from autogrid.trading.market import QUOTE, RECEIVED, Market

D = Decimal
NOW_MS = 1_747_699_200_000

BINANCE_FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "tickSize": "0.01000000"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
    {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "bidMultiplierDown": "0.2"}
    | {"askMultiplierUp": "5", "askMultiplierDown": "0.2", "avgPriceMins": 5},
    {"filterType": "NOTIONAL", "minNotional": "5.00000000", "maxNotional": "9000000.00000000"},
    {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
]
BINANCE_SYMBOL = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "permissions": ["SPOT"],
    "isSpotTradingAllowed": True,
    "filters": BINANCE_FILTERS,
}
BYBIT_SYMBOL = {
    "symbol": "BTCUSDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "status": "Trading",
    "marginTrading": "utaOnly",
    "lotSizeFilter": {
        "basePrecision": "0.000001",
        "quotePrecision": "0.0000001",
        "minOrderQty": "0.000011",
        "maxOrderQty": "83",
        "minOrderAmt": "5",
        "maxOrderAmt": "8000000",
    },
    "priceFilter": {"tickSize": "0.1"},
}
MEXC_SYMBOL = {
    "symbol": "PYTHUSDT",
    "status": "1",
    "baseAsset": "PYTH",
    "baseAssetPrecision": 2,
    "quoteAsset": "USDT",
    "quotePrecision": 4,
    "quoteAssetPrecision": 4,
    "isSpotTradingAllowed": True,
    "isMarginTradingAllowed": False,
    "quoteAmountPrecision": "1",
    "baseSizePrecision": "0",
    "permissions": ["SPOT"],
    "filters": [],
    "maxQuoteAmount": "2000000",
    "makerCommission": "0",
    "takerCommission": "0.0002",
}
ANSWERS = {
    "publicGetExchangeInfo": {"symbols": [BINANCE_SYMBOL]},
    "publicGetV5MarketInstrumentsInfo": {"retCode": 0, "result": {"category": "spot", "list": [BYBIT_SYMBOL]}},
    "spotPublicGetExchangeInfo": {"symbols": [MEXC_SYMBOL]},
}


def offline(exchange: str, answer: Any = None) -> Any:
    """A client of ccxt whose requests are answered from above; one that is not foreseen fails."""
    client = public_client(exchange)

    async def refuse(path: str, *args: Any, **kwargs: Any) -> Any:
        raise ccxt.NetworkError(f"nobody answers {path}")

    client.fetch2 = refuse
    for name, told in ANSWERS.items():

        async def give(params: object = None, told: Any = told) -> Any:
            return answer or told

        if hasattr(client, name):
            setattr(client, name, give)
    return client


def rules(exchange: str, symbol: str, answer: Any = None) -> Market:
    return asyncio.run(fetch_market(exchange, symbol, lambda name: offline(name, answer)))


def refused(exchange: str, symbol: str, answer: Any = None) -> UnableToFindMarket:
    with pytest.raises(UnableToFindMarket) as caught:
        rules(exchange, symbol, answer)
    assert caught.value.sentence.endswith(".")
    return caught.value


def test_binance_is_read_with_its_filters() -> None:
    assert rules("binance", "BTC/USDT") == Market(
        base="BTC",
        quote="USDT",
        tick=D("0.01"),
        lot=D("0.00001"),
        min_notional=D(5),
        maker_fee=D("0.001"),
        taker_fee=D("0.001"),
        fee_in=RECEIVED,
        min_quantity=D("0.00001"),
        max_quantity=D(9000),
        max_orders=200,
        least_share=D("0.2"),
        most_share=D(5),
        stops="oco",
    )


def test_bybit_has_its_cap_on_orders_from_its_documents() -> None:
    assert rules("bybit", "BTC/USDT") == Market(
        base="BTC",
        quote="USDT",
        tick=D("0.1"),
        lot=D("0.000001"),
        min_notional=D(5),
        maker_fee=D("0.001"),
        taker_fee=D("0.001"),
        min_quantity=D("0.000011"),
        max_quantity=D(83),
        max_orders=500,
        stops="stop",
    )


def test_mexc_has_no_filters_and_a_least_quantity_of_nothing() -> None:
    market = rules("mexc", "PYTH/USDT")
    assert market == Market(
        base="PYTH",
        quote="USDT",
        tick=D("0.0001"),
        lot=D("0.01"),
        min_notional=D(1),
        maker_fee=D(0),
        taker_fee=D("0.0002"),
        fee_in="quote",
    )
    assert market.least_quantity(D("0.4")) == D("2.5")


def test_only_spot_markets_are_asked_for() -> None:
    for exchange in ("binance", "bybit", "mexc"):
        for client in (public_client(exchange), streaming_client(exchange)):
            assert client.has["fetchCurrencies"] is False
            assert client.number is str
    # Everything but the spot market's own address fails in `offline`, and the load succeeds all the same.
    rules("mexc", "PYTH/USDT")


def minimal(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"symbol": "AAA/BBB", "base": "AAA", "quote": "BBB"}
    return told | {"precision": {"price": 0.0001, "amount": 1e-05}, "limits": {}} | changes


def test_steps_that_came_as_floats_are_their_shortest_text() -> None:
    market = market_from(minimal(limits={"amount": {"min": 1e-05, "max": 9000.0}, "cost": {"min": 5.0}}))
    assert str(market.lot) == "0.00001"
    assert (market.tick, market.min_quantity, market.max_quantity) == (D("0.0001"), D("0.00001"), D(9000))
    assert market.min_notional == 5


def test_what_an_exchange_does_not_tell_is_no_limit_and_the_usual_fee() -> None:
    market = market_from(minimal())
    assert market == Market("AAA", "BBB", D("0.0001"), D("0.00001"), D(0), D("0.001"), D("0.001"))


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"maker": -0.0001, "taker": 0.0004}, "maker_fee", D(0)),
        ({"feeSide": "quote"}, "fee_in", QUOTE),
        ({"feeSide": "get"}, "fee_in", RECEIVED),
        ({"limits": {"amount": {"max": "92233720368547758080"}}}, "max_quantity", None),
        ({"info": {"filters": [{"filterType": "MIN_NOTIONAL", "minNotional": "10.0"}]}}, "min_notional", D(10)),
        ({"info": {"filters": [{"filterType": "PERCENT_PRICE", "multiplierDown": "0.5"}]}}, "least_share", D("0.5")),
        ({"info": {"filters": [{"filterType": "LOT_SIZE", "stepSize": "0.00000000"}]}}, "lot", D("0.00001")),
        ({"info": []}, "lot", D("0.00001")),
    ],
)
def test_peculiar_answers_are_read(changes: dict[str, Any], field: str, value: object) -> None:
    assert getattr(market_from(minimal(**changes)), field) == value


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": {"price": None, "amount": "1"}},
        {"precision": {"price": "0", "amount": "1"}},
        {"precision": {"price": "1", "amount": "NaN"}},
        {"precision": {"price": "a tick", "amount": "1"}},
        {"precision": None},
    ],
)
def test_a_market_without_steps_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnableToFindMarket, match="AAA/BBB") as caught:
        market_from(minimal(**changes), "binance")
    assert caught.value.code == "bad_answer"


def test_an_unknown_exchange_is_told_with_the_nearest() -> None:
    error = refused("binanse", "BTC/USDT")
    assert (error.code, "binance" in error.sentence) == ("unknown_exchange", True)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "btc/usdt", "BTC/USTD"])
def test_an_unknown_symbol_is_told_with_the_nearest(symbol: str) -> None:
    error = refused("binance", symbol)
    assert (error.code, "BTC/USDT" in error.sentence) == ("unknown_symbol", True)


def test_a_halted_market_is_refused_with_its_status() -> None:
    error = refused("binance", "BTC/USDT", {"symbols": [BINANCE_SYMBOL | {"status": "BREAK"}]})
    assert (error.code, "BREAK" in error.sentence) == ("halted", True)


def test_a_market_of_mexc_that_is_closed_to_programs_is_refused() -> None:
    error = refused("mexc", "PYTH/USDT", {"symbols": [MEXC_SYMBOL | {"isSpotTradingAllowed": False}]})
    assert (error.code, "not open to programs" in error.sentence) == ("halted", True)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ccxt.NetworkError("no route"), "exchange_away"),
        (ccxt.RequestTimeout("10 s"), "exchange_away"),
        (ccxt.ExchangeError("maintenance"), "exchange_refused"),
    ],
)
def test_an_exchange_that_does_not_answer_is_told_and_its_client_closed(fault: Exception, code: str) -> None:
    closed = []

    class Away:
        async def load_markets(self) -> None:
            raise fault

        async def close(self) -> None:
            closed.append(True)

    with pytest.raises(UnableToFindMarket) as caught:
        asyncio.run(fetch_market("binance", "BTC/USDT", lambda _: Away()))
    assert caught.value.code == code
    assert closed == [True]


# --- recorded answers -----------------------------------------------------------------------------------------------


def test_binances_recorded_markets_are_read_as_they_were(shared_data: Path) -> None:
    recorded = json.loads(
        (shared_data / "data/markets/binance_spot_exchangeInfo_20240908_selected.json").read_text("utf-8")
    )
    for symbol in recorded["symbols"]:
        name = f"{symbol['baseAsset']}/{symbol['quoteAsset']}"
        market = rules("binance", name, recorded)
        filters = {one["filterType"]: one for one in symbol["filters"]}
        assert market.symbol == name
        assert market.tick == D(filters["PRICE_FILTER"]["tickSize"])
        assert market.lot == D(filters["LOT_SIZE"]["stepSize"])
        assert market.min_notional == D(filters["NOTIONAL"]["minNotional"])
        assert market.max_orders == 200


def test_the_transcribed_markets_are_read_as_they_stand(shared_data: Path) -> None:
    listed = json.loads((shared_data / "data/markets/markets.json").read_text("utf-8"))["markets"]
    spot = [one for one in listed if one["market"] == "spot"]
    assert len(spot) > 20
    for one in spot:
        base, quote = one["symbol"].split("/")
        told = {
            "symbol": one["symbol"],
            "base": base,
            "quote": quote,
            "precision": {"price": float(one["tick_size"]), "amount": float(one["lot_step"])},
            "limits": {
                "amount": {"min": float(one["min_qty"]), "max": one["max_qty"] and float(one["max_qty"])},
                "cost": {"min": float(one["min_notional"])},
            },
            "maker": one["maker_fee"],
            "taker": one["taker_fee"],
        }
        market = market_from(told, one["exchange"])
        assert [market.tick, market.lot, market.min_notional, market.min_quantity] == [
            D(one[name]) for name in ("tick_size", "lot_step", "min_notional", "min_qty")
        ]
        assert market.max_quantity == (one["max_qty"] and D(one["max_qty"]))
        assert market.taker_fee == D(one["taker_fee"] or "0.001")


@pytest.mark.parametrize(
    ("exchange", "info", "stops"),
    [
        ("binance", {"ocoAllowed": True, "orderTypes": ["LIMIT", "STOP_LOSS_LIMIT"]}, "oco"),
        ("binance", {}, "oco"),
        ("binance", {"ocoAllowed": False, "orderTypes": ["LIMIT", "STOP_LOSS_LIMIT"]}, "stop"),
        ("binance", {"ocoAllowed": True, "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"]}, "none"),
        ("bybit", {}, "stop"),
        ("mexc", {"orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"]}, "none"),
        ("kraken", {}, "none"),
        ("", {}, "none"),
    ],
)
def test_the_stops_of_an_exchange_are_those_it_keeps_on_spot(exchange: str, info: dict[str, Any], stops: str) -> None:
    assert market_from(minimal(info=info), exchange).stops == stops


def test_rules_kept_before_stops_were_known_have_none(tmp_path: Path) -> None:
    path = keep(tmp_path, KeptMarket("binance", market_from(minimal(), "binance"), NOW_MS))
    written = json.loads(path.read_text(encoding="utf-8"))
    del written["market"]["stops"]
    path.write_text(json.dumps(written), encoding="utf-8")
    kept = kept_market(tmp_path, "binance", "/".join(path.stem.partition("_")[2].split("-")))
    assert kept is not None
    assert kept.market.stops == "none"


# --- kept for later -------------------------------------------------------------------------------------------------

FIGURES = st.decimals("0.00000001", "1000000", places=8)
CAPS = st.none() | FIGURES
MARKETS = st.builds(
    Market,
    base=st.sampled_from(["BTC", "1000SATS"]),
    quote=st.just("USDT"),
    tick=FIGURES,
    lot=FIGURES,
    min_notional=FIGURES,
    maker_fee=st.decimals(0, 1, places=6),
    taker_fee=st.decimals(0, 1, places=6),
    fee_in=st.sampled_from([RECEIVED, QUOTE]),
    min_quantity=FIGURES,
    max_quantity=CAPS,
    max_orders=st.none() | st.integers(1, 500),
    least_share=CAPS,
    most_share=CAPS,
    stops=st.sampled_from(["none", "stop", "oco"]),
)


@given(MARKETS)
def test_what_is_kept_comes_back_the_same(tmp_path_factory: pytest.TempPathFactory, market: Market) -> None:
    folder = tmp_path_factory.mktemp("kept")
    kept = KeptMarket("binance", market, NOW_MS)
    path = keep(folder, kept)
    assert path == folder / "markets" / f"binance_{market.base}-USDT.json"
    assert kept_market(folder, "binance", market.symbol) == kept
    assert [one.name for one in path.parent.iterdir()] == [path.name]


class Asked:
    """Gives one market, or a fault, and counts."""

    def __init__(self, told: Market | UnableToFindMarket) -> None:
        self.told = told
        self.count = 0

    async def __call__(self, exchange: str, symbol: str) -> Market:
        self.count += 1
        if isinstance(self.told, UnableToFindMarket):
            raise self.told
        return self.told


def known(folder: Path, asked: Asked, now_ms: int = NOW_MS) -> KeptMarket:
    return asyncio.run(market_rules(folder, "binance", "AAA/BBB", asked, now_ms=now_ms))


def test_rules_are_fetched_once_a_day(tmp_path: Path) -> None:
    asked = Asked(market_from(minimal()))
    first = known(tmp_path, asked)
    assert known(tmp_path, asked, NOW_MS + 86_399_999) == first
    assert asked.count == 1
    assert known(tmp_path, asked, NOW_MS + 86_400_000).fetched_ms == NOW_MS + 86_400_000
    assert asked.count == 2


def test_without_a_network_old_rules_serve_and_their_age_is_told(tmp_path: Path) -> None:
    known(tmp_path, Asked(market_from(minimal())))
    later = NOW_MS + 3 * 86_400_000
    kept = known(tmp_path, Asked(UnableToFindMarket("exchange_away", "binance is away.")), later)
    assert kept.market == market_from(minimal())
    assert (kept.fault, kept.age(later)) == ("binance is away.", "3 days")


def test_without_a_network_and_without_old_rules_the_fault_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnableToFindMarket, match="away"):
        known(tmp_path, Asked(UnableToFindMarket("exchange_away", "binance is away.")))


def test_old_rules_of_a_market_that_was_halted_do_not_serve(tmp_path: Path) -> None:
    known(tmp_path, Asked(market_from(minimal())))
    with pytest.raises(UnableToFindMarket, match="halted"):
        known(tmp_path, Asked(UnableToFindMarket("halted", "It is halted.")), NOW_MS + 90_000_000)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"market": {}}', '{"market": {"tick": 1}, "fetched_ms": 1}'])
def test_a_damaged_file_is_told_by_name(tmp_path: Path, content: str) -> None:
    path = path_of(tmp_path, "binance", "AAA/BBB")
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnableToFindMarket, match=path.name):
        kept_market(tmp_path, "binance", "AAA/BBB")


@pytest.mark.parametrize(("exchange", "symbol"), [("../x", "A/B"), ("binance", "../../etc/passwd"), ("binance", "BTC")])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, exchange: str, symbol: str) -> None:
    with pytest.raises(UnableToFindMarket):
        kept_market(tmp_path, exchange, symbol)


@pytest.mark.parametrize(
    ("ms", "age"), [(0, "under a minute"), (60_000, "1 minute"), (7_200_000, "2 hours"), (-5, "under a minute")]
)
def test_an_age_is_told_in_words(ms: int, age: str) -> None:
    assert KeptMarket("binance", market_from(minimal()), NOW_MS).age(NOW_MS + ms) == age
