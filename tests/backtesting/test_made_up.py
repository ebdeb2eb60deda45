import numpy as np

from autogrid.backtesting.made_up import made_up_tape


def test_a_made_up_tape_holds_whole_candles_that_join_and_begin_at_the_price() -> None:
    tape = made_up_tape(1, 500, 100_000)
    opens, highs, lows, closes = tape.prices.T
    assert (np.maximum(opens, closes) <= highs).all()
    assert (np.minimum(opens, closes) >= lows).all()
    assert (opens[1:] == closes[:-1]).all()
    assert opens[0] * tape.unit == 100_000
    assert (np.diff(tape.times) == tape.interval_ms).all()


def test_a_made_up_tape_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert (made_up_tape(1, 300).prices == made_up_tape(1, 300).prices).all()
    assert (made_up_tape(1, 300).prices != made_up_tape(2, 300).prices).any()


def test_a_made_up_tape_says_that_it_is() -> None:
    assert made_up_tape(1, 10).source.startswith("made up")
