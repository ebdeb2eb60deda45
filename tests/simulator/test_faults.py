"""Faults: which are drawn, and how often."""

import pytest

from autogrid.simulator.faults import Fault, Faults, UnableToPlan


def test_a_fault_strikes_so_often_and_then_no_more() -> None:
    faults = Faults(1)
    faults.add(Fault("lost-answer", count=2))
    drawn = [faults.draw("place", "lost-answer") for _ in range(4)]
    assert [fault is not None for fault in drawn] == [True, True, False, False]
    assert faults.given == {"lost-answer": 2}
    assert faults.list() == {}


def test_a_fault_strikes_only_where_it_is_wanted_and_what_is_asked_for() -> None:
    faults = Faults(1)
    number = faults.add(Fault("lost-answer", where="place"))
    assert faults.draw("cancel", "lost-answer") is None
    assert faults.draw("place", "html") is None
    assert faults.draw("place", "html", "lost-answer") is not None
    assert faults.remove(number)
    assert not faults.remove(number)
    assert faults.draw("place", "lost-answer") is None


def test_the_same_seed_draws_the_same() -> None:
    def drawn(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault("html", share=0.5))
        return [faults.draw("place", "html") is not None for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 10 < sum(drawn(1)) < 40


def test_a_fault_that_is_none_is_refused() -> None:
    with pytest.raises(UnableToPlan, match="no fault"):
        Faults(1).add(Fault("nonsense"))
    with pytest.raises(UnableToPlan, match="no operation"):
        Faults(1).add(Fault("html", where="nowhere"))


def test_no_faults_are_left_when_they_are_cleared() -> None:
    faults = Faults(1)
    faults.add(Fault("html"))
    faults.clear()
    assert faults.draw("place", "html") is None
