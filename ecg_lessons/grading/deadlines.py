"""What lateness costs: a share of the points for each day, or hour, that has begun after the deadline."""

import math
import re
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from ecg_lessons.errors import InputError, shown

_PERIODS = {"day": timedelta(days=1), "hour": timedelta(hours=1)}


def zone(name: str | None) -> tzinfo | None:
    """Give a time zone, such as Europe/Vienna; None is that of this machine."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise InputError(f"There is no time zone {shown(name)!r}: give one such as Europe/Vienna or UTC.") from None


def read(text: str, where: tzinfo | None) -> datetime:
    """Read a time, such as 2026-11-30 23:59; one without a zone of its own is meant in `where`."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{shown(text)!r} is no time: write it as 2026-11-30 23:59.") from None
    if time.tzinfo:
        return time
    return time.replace(tzinfo=where) if where else time.astimezone()


class Deadline(NamedTuple):
    """Until when, and the share of an assignment's points that each `period` begun after it costs."""

    until: datetime
    share: float = 0.0
    period: timedelta = _PERIODS["day"]

    @classmethod
    def of(cls, until: str, rule: str | None = None, where: tzinfo | None = None) -> Self:
        """Read a deadline and a rule such as 10%/day; without a rule lateness is told and costs nothing."""
        if rule is None:
            return cls(read(until, where))
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*/\s*(day|hour)\s*", rule)
        if not found or float(found[1]) > 100:
            raise InputError(f"{shown(rule)!r} is no rule for lateness: write it as 10%/day or 2%/hour.")
        return cls(read(until, where), float(found[1]) / 100, _PERIODS[found[2]])

    def begun(self, time: datetime | None) -> int:
        """Count the periods begun after the deadline; a time that is not known is in time."""
        if time is None or time <= self.until:
            return 0
        return math.ceil((time - self.until) / self.period)

    def lost(self, time: datetime | None, of: float) -> float:
        """Give the points that lateness costs, out of those of the whole assignment."""
        return min(of, self.begun(time) * self.share * of)

    def told(self, time: datetime | None) -> str:
        """Say how late it was, and in which time zone that was counted; nothing if it was in time."""
        if not (begun := self.begun(time)):
            return ""
        what = next(name for name, period in _PERIODS.items() if period == self.period)
        when = time.astimezone(self.until.tzinfo)
        return f"{begun} {what}{'s' * (begun > 1)} late: {when:%Y-%m-%d %H:%M %Z}, due {self.until:%Y-%m-%d %H:%M %Z}"
