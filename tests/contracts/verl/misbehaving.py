"""Reward functions for the tests, loaded by verl from this file."""

import asyncio
import threading
import time

import numpy as np

RELEASE = threading.Event()
RUNNING = set()
MOST_AT_ONCE = []


def lengths(data_source, solution_str, ground_truth, extra_info):
    names = ("prompt_tokens", "response_tokens", "max_response_tokens", "truncated")
    return {"score": 1.0} | {name: extra_info[name] for name in names}


def by_text(data_source, solution_str, ground_truth, extra_info):
    """Does what the response says."""
    match solution_str:
        case "nan":
            return {"score": float("nan"), "acc": 1.0, "penalty": -0.5, "label": "x"}
        case "infinite":
            return np.float32("-inf")
        case "raise":
            raise ValueError("broken")
        case "exit":
            raise SystemExit(1)
        case "stop":
            raise StopIteration
        case "none":
            return None
        case "no score":
            return {"acc": 1.0}
        case "text":
            return {"score": "high"}
        case "sleep":
            RELEASE.wait()
        case "loop":
            while True:
                pass
    return {"score": 1.0, "acc": 1.0, "penalty": -0.5, "label": "x"}


def plain(data_source, solution_str, ground_truth, extra_info):
    return np.float64(0.25)


def untidy(data_source, solution_str, ground_truth, extra_info):
    return {
        "score": np.float32(0.5),
        "passed": np.bool_(True),
        "ratio": float("nan"),
        "steps": [1, 2],
        "missing": None,
        "reward": 3.0,
        "label": np.str_("x"),
    }


def mixed(data_source, solution_str, ground_truth, extra_info):
    return {"score": 0.0, "extra": 1.0 if solution_str == "number" else "words"}


async def waits(data_source, solution_str, ground_truth, extra_info):
    await asyncio.sleep(0 if solution_str == "fine" else 3600)
    return {"score": 0.75}


class Waits:
    async def __call__(self, data_source, solution_str, ground_truth, extra_info):
        return await waits(data_source, solution_str, ground_truth, extra_info)


waits_in_call = Waits()


def counts(data_source, solution_str, ground_truth, extra_info):
    RUNNING.add(threading.get_ident())
    MOST_AT_ONCE.append(len(RUNNING))
    time.sleep(0.01)
    RUNNING.discard(threading.get_ident())
    return 1.0
