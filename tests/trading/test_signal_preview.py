"""What is told of a strategy on signals before it starts."""

from decimal import Decimal

import pytest

from autogrid.trading.strategies.catalogue import CATALOGUE, build, entry
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.preview import Preview
from tests.builders import PLAIN_MARKET, market

D = Decimal
NAMES = ("ppp_vishva", "sma_cross", "rsi", "signal")


def shown(name: str, **config: str) -> Preview:
    found = entry(name).preview(build(name, config, PLAIN_MARKET, D(10_000)), D(100_000))
    assert isinstance(found, Preview)
    return found


def facts(preview: Preview) -> dict[str, str]:
    return {fact.key: fact.value for fact in preview.facts}


def test_fifteen_minutes_ask_for_a_confirmation_since_the_stop_is_nearer_than_three_round_trips() -> None:
    preview = shown("ppp_vishva", timeframe="15m")
    assert preview.confirm
    assert facts(preview)["usual_stop"] == "0.34"
    assert facts(preview)["break_even"] == "0.6"
    assert any("nearer than three round trips" in warning for warning in preview.warnings)
    assert any("fees eat the edge" in warning for warning in preview.warnings)


def test_the_cap_is_named_where_it_decides_the_size() -> None:
    preview = shown("ppp_vishva", timeframe="15m")
    assert facts(preview)["entry_cost"] == "2500"
    assert any("The cap of 25 %" in warning for warning in preview.warnings)
    assert not any("The cap" in warning for warning in shown("rsi", risk_per_trade="0.005").warnings)


def test_a_wide_stop_on_a_long_timeframe_asks_for_nothing() -> None:
    preview = shown("ppp_vishva", timeframe="4h", confirm_timeframes="1d")
    assert not preview.confirm
    assert facts(preview)["warm_up"] == "125"


@pytest.mark.parametrize("name", NAMES)
def test_each_says_that_a_sleeping_computer_has_no_stop(name: str) -> None:
    config = {"stop_loss": "0.02"} if name == "signal" else {}
    assert any("there is no stop" in warning for warning in shown(name, **config).warnings)
    assert CATALOGUE[name].shows == "signals"


def test_a_signal_bot_without_a_stop_says_so() -> None:
    assert shown("signal").warnings[-1].startswith("There is no stop")
    assert not shown("signal").confirm
    assert shown("signal", stop_loss="0.002").confirm


def test_too_small_an_investment_is_refused() -> None:
    with pytest.raises(UnableToConfigure, match="invest at least"):
        entry("rsi").preview(build("rsi", {}, PLAIN_MARKET, D(19)), D(100_000))


def test_presets_are_configurations() -> None:
    presets = {preset.name: preset.values for preset in CATALOGUE["ppp_vishva"].presets}
    assert set(presets) == {"bitcoin", "altcoins", "conservative"}
    for values in presets.values():
        build("ppp_vishva", values, market(), D(10_000))
    for name in NAMES:
        assert CATALOGUE[name].schema()["preview"] == "signals"
