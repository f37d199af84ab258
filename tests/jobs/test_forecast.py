"""How long a job takes: what is told before it holds, and how it follows."""

from __future__ import annotations

from itertools import pairwise

from interpret_core.jobs.forecast import WAIT, Forecast


def told(forecast: Forecast, stage: str, steps: range, total: int, times: list[float]) -> list[float | None]:
    """Seconds left after each step."""
    ends = [forecast.seen(stage, done, total, now) for done, now in zip(steps, times, strict=True)]
    return [None if end is None else end - now for end, now in zip(ends, times, strict=True)]


def test_an_even_pace_is_told_once_it_has_held_for_a_while() -> None:
    lefts = told(Forecast(), "one", range(101), 100, [float(at) for at in range(101)])
    first = int(WAIT) + 1  # the stage's first step is no part of the pace
    assert lefts[:first] == [None] * first
    for done, left in enumerate(lefts[first:], first):
        assert left is not None
        assert abs(left - (100 - done)) < 1e-6


def test_a_slow_first_step_is_not_taken_for_the_pace() -> None:
    """A model is loaded for ten seconds, then steps take a tenth: first 28 minutes were told, then 50 s."""
    times = [0.0, 10.0, *(10.0 + 0.1 * at for at in range(1, 200))]
    lefts = told(Forecast(), "one", range(len(times)), 1000, times)
    known = [left for left in lefts if left is not None]
    assert lefts[1] is None
    assert known
    assert max(known) < 400, "the truth is 98 s"


def test_a_new_stage_of_another_pace_is_followed_slowly() -> None:
    forecast = Forecast()
    told(forecast, "fast", range(101), 200, [0.1 * at for at in range(101)])
    times = [10.0 + 2.0 * at for at in range(1, 60)]
    lefts = told(forecast, "slow", range(101, 160), 200, times)
    known = [left for left in lefts if left is not None]
    assert 60 < known[-1] < 120, "forty steps of two seconds are left"
    before, after = known[0], known[1:]
    assert before < 15, "what was told before stands at first"
    for one, other in pairwise([before, *after]):
        assert other - one < 25, "it never jumps: the new pace alone would add 170 s at once"


def test_a_time_that_is_over_is_not_told() -> None:
    forecast = Forecast()
    told(forecast, "one", range(101), 110, [0.1 * at for at in range(101)])
    assert forecast.seen("two", 101, 110, 10.2) is not None
    assert forecast.seen("two", 101, 110, 60.0) is None


def test_what_was_told_is_told_no_longer_where_other_work_begins() -> None:
    """Between two analyses a data set is read, or another run awaited: nobody can say for how long."""
    forecast = Forecast()
    told(forecast, "one", range(101), 200, [0.1 * at for at in range(101)])
    assert forecast.seen("one", 101, 200, 10.1) is not None
    assert forecast.seen("waiting for another run", 0, 0, 10.2) is None
    assert forecast.seen("two", 0, 200, 10.3) is None


def test_nothing_is_known_of_a_total_that_is_not() -> None:
    assert Forecast().seen("one", 5, 0, 10.0) is None
