"""When a scheduled purchase is due: anchors in UTC, from the hour, the weekday or the day of the month that was set."""

from datetime import date
from typing import Final, Literal, NamedTuple

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
WEEK_MS: Final = 7 * DAY_MS
MONDAY_MS: Final = 4 * DAY_MS
"""The first Monday after 1970-01-01, from which weeks are counted."""
DECEMBER: Final = 11
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()

Every = Literal["hourly", "daily", "weekly", "monthly"]


class Schedule(NamedTuple):
    """A purchase each hour, day, week or month, at an anchor in UTC."""

    every: Every
    minute: int = 0
    hour: int = 0
    weekday: int = 0
    """0 is Monday."""
    day: int = 1
    """Of the month; its last day where it is shorter."""

    @property
    def least_interval_ms(self) -> int:
        """The shortest time between two purchases: candles must not be longer."""
        return {"hourly": HOUR_MS, "daily": DAY_MS, "weekly": WEEK_MS, "monthly": 28 * DAY_MS}[self.every]

    @property
    def words(self) -> str:
        """For a person."""
        clock = f"{self.hour:02}:{self.minute:02} UTC"
        if self.every == "hourly":
            return f"each hour at minute {self.minute}"
        if self.every == "daily":
            return f"each day at {clock}"
        names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        if self.every == "weekly":
            return f"each {names[self.weekday]} at {clock}"
        return f"each month on day {self.day} (or its last) at {clock}"


def shown_time(at_ms: int) -> str:
    """A time as people read it, in UTC."""
    day = date.fromordinal(EPOCH_DAY + at_ms // DAY_MS)
    hours, minutes = divmod(at_ms % DAY_MS // 60_000, 60)
    return f"{day.isoformat()} {hours:02}:{minutes:02} UTC"


def next_anchor(schedule: Schedule, after_ms: int) -> int:
    """The first anchor strictly after `after_ms`; UTC ms, as all times here."""
    anchor = last_anchor(schedule, after_ms)
    if schedule.every == "monthly":
        return _monthly(schedule, _month_of(anchor) + 1)
    return anchor + schedule.least_interval_ms


def last_anchor(schedule: Schedule, at_ms: int) -> int:
    """The last anchor at or before `at_ms`."""
    if schedule.every == "monthly":
        month = _month_of(at_ms)
        anchor = _monthly(schedule, month)
        return anchor if anchor <= at_ms else _monthly(schedule, month - 1)
    period = schedule.least_interval_ms
    shift = _within_day(schedule)
    if schedule.every == "hourly":
        shift = schedule.minute * 60_000
    elif schedule.every == "weekly":
        shift += MONDAY_MS + schedule.weekday * DAY_MS
    return (at_ms - shift) // period * period + shift


def _within_day(schedule: Schedule) -> int:
    return schedule.hour * HOUR_MS + schedule.minute * 60_000


def _month_of(at_ms: int) -> int:
    """Months since year 0."""
    day = date.fromordinal(EPOCH_DAY + at_ms // DAY_MS)
    return day.year * 12 + day.month - 1


def _monthly(schedule: Schedule, month: int) -> int:
    year, index = divmod(month, 12)
    first = date(year, index + 1, 1).toordinal()
    after = date(year + 1, 1, 1) if index == DECEMBER else date(year, index + 2, 1)
    day = min(schedule.day, after.toordinal() - first)
    return (first + day - 1 - EPOCH_DAY) * DAY_MS + _within_day(schedule)
