"""What every test stands on: exact figures, how long Hypothesis searches, and where the shared data lies."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from autogrid.trading.money import use_exact_figures

use_exact_figures()

SLOW_MACHINES = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("quick", max_examples=40, deadline=None, suppress_health_check=SLOW_MACHINES)
settings.register_profile("reliability", max_examples=1_000, deadline=None, suppress_health_check=SLOW_MACHINES)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def _exact_figures() -> Iterator[None]:
    """A test that changed the context of money changes it for itself alone."""
    use_exact_figures()
    yield
    use_exact_figures()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The candles, vectors and payloads that stand beside the repository; a test that needs them skips elsewhere."""
    place = Path(__file__).resolve().parents[2] / "shared"
    if not place.is_dir():
        pytest.skip(f"the shared data are not at {place}")
    return place
