"""What all benchmarks share."""

import time

import numpy as np
import pytest


@pytest.fixture
def compare(benchmark):
    """Time two ways to the same result in one run."""

    def both(ours, theirs, what, least=1.0, tolerance=1e-4):
        """Check that both ways agree, and report how many times faster ours is: at least `least`."""
        got = benchmark.pedantic(ours, rounds=10, warmup_rounds=1)
        seconds = []
        while not seconds or (len(seconds) < 10 and sum(seconds) < 0.5):
            start = time.perf_counter()
            want = theirs()
            seconds.append(time.perf_counter() - start)
        ratio = min(seconds) / benchmark.stats.stats.min  # the best of each: other work on the machine only adds
        np.testing.assert_allclose(got, want, atol=tolerance)
        benchmark.extra_info["times faster"] = round(ratio, 1)
        print(f"\n{what}: {ratio:.1f} times faster")
        assert ratio > least

    return both


@pytest.fixture
def in_turn(benchmark):
    """Time two ways pair by pair, so that other work on the machine slows both alike."""

    def both(ours, theirs, what, least=1.0, rounds=3):
        """Report how many times faster ours is, in the median of the pairs: more than `least`. Give both results."""
        seconds, results = [], {}

        def peer():
            start = time.perf_counter()
            results["theirs"] = theirs()
            seconds.append(time.perf_counter() - start)

        results["ours"] = benchmark.pedantic(ours, setup=peer, rounds=rounds)
        ratio = float(np.median(np.array(seconds) / benchmark.stats.stats.data))
        benchmark.extra_info["times faster"] = round(ratio, 1)
        print(f"\n{what}: {ratio:.1f} times faster")
        assert ratio > least
        return results["ours"], results["theirs"]

    return both
