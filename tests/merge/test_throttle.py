from dianjin_ext.merge import throttle
from dianjin_ext.merge.throttle import Throttle


def test_sleeps_exactly_as_long_as_it_is_ahead(monkeypatch):
    clock, slept, seen = [100.0], [], []

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(throttle.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(throttle.time, "sleep", sleep)
    limit = Throttle(50, lambda done, total: seen.append((done, total)))
    limit(100, 300)  # two seconds' worth at once
    clock[0] += 3.0
    limit(200, 300)  # a second behind by now: no sleep
    limit(300, 300)
    assert slept == [2.0, 1.0]
    assert seen == [(100, 300), (200, 300), (300, 300)]
