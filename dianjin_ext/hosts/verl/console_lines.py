"""Which of the lines that verl and Ray print a person needs, and one line for each step.

What is not known as noise is shown: a line too many is better than a warning that nobody sees.
"""

import re
from collections import deque

__all__ = ["ConsoleLines"]

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PREFIX = re.compile(r"^\((?:\w[\w.:]* )?pid=\d+[^)]*\) ?")
_REPEATED = re.compile(r" ?\[repeated \d+x across cluster\].*$")
_STEP = re.compile(r"^step:(\d+) - ")
_TOTAL = re.compile(r"Total training steps: (\d+)")
_LEVEL = re.compile(r"^(WARNING|ERROR|CRITICAL):\d{4}-\d\d-\d\d [\d:,]+:")
_HOST_WARNING = re.compile(r"(?:site-packages|dist-packages)/.*:\d+: \w*Warning: |^<frozen ")
_DUMP = re.compile(r"""^\{'actor_rollout_ref'|^\(?["'](?:Initial|Final) validation metrics""")
# What a line of a dump begins with. Ray reads the outputs of a process in turn, while they grow: a
# line may come in two, without its indentation, and with a line of the error output between them.
_PIECE = re.compile(r"""\s|$|['"{(\[\])}]|(?:None|True|False|-?[\d.e+-]+)[,)}\]]""")
_TOLD = re.compile(r"^INFO:[\d\-: ,]+:((?:Training from scratch|Resuming from).*)")
_NOISE = re.compile(
    r"""
    ^\s*$ | ^INFO[\s:] | ^\d{4}-\d\d-\d\d\ [\d:,]+\s+INFO\s | \ -\ INFO\ -\ | ^\[INFO[|\]]
    | \d+%\|.*\| | \ examples/s\] | [\[ ,]\?it/s\]          # progress bars
    | ^ray\ init\ kwargs: | ^\[validate_config\] | Token\ authentication\ is\ enabled
    | ^Using\ dataset\ class: | ^(filter\ )?dataset\ len: | ^colocated\ worker\ base\ class
    | ^Skipping\ monkey\ patch | ^\w+\ contains\ [\d.]+\w?\ parameters
    | memory\ allocated\ \(GB\): | ^Total\ steps:\ \d+,\ num_warmup_steps
    | ^LLMServerManager: | ^Checkpoint\ tracker\ file\ does\ not\ exist
    | ^Saving\ tensorboard\ log | ^Creating\ file\ logger | `torch_dtype`\ is\ deprecated
    | Using\ blocking\ ray\.get\ inside
    | TOKENIZERS_PARALLELISM | target_num_threads\ \d+ | Failed\ to\ set\ NUMA\ affinity
    | No\ supported\ accelerator\ detected | is\ registered\ but\ not\ available
    | engine\ is\ not\ available: | Disabled\ critic\ as
    | ^(\[rank\d+\]:)?[IW]\d{4}\ .*-packages/torch/
    | \ WARNING\ authentication_token_setup | ^Set\ the\ environment\ variable\ HYDRA_FULL_ERROR
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|-?inf|nan")
_SMOOTHED = 20  # steps whose mean says how long the others will take


class ConsoleLines:
    """Turns the output of a run, line by line, into what the console shows."""

    def __init__(self) -> None:
        self._total: int | None = None
        self._seconds: deque[float] = deque(maxlen=_SMOOTHED)
        self._traces: set[str] = set()  # processes that are printing a traceback
        self._warned: set[str] = set()  # processes whose next line quotes the code that warned
        self._open: dict[str, int] = {}  # process to the brackets that its dump has yet to close

    def __call__(self, line: str) -> str | None:
        """Return what to show for a line without its end, or None.

        Warnings and errors begin with `WARNING` and `ERROR`.
        """
        text = _ANSI.sub("", line.rstrip("\r\n").rpartition("\r")[2])
        found = _PREFIX.match(text)
        process, body = (found[0], text[found.end() :]) if found else ("", text)
        if process in self._traces:
            if body and not body[0].isspace():
                self._traces.discard(process)  # the exception, which ends it
            return body
        if body.startswith("Traceback (most recent call last)"):
            self._traces.add(process)
            return body
        body = _REPEATED.sub("", body)
        if _DUMP.match(body) or (process in self._open and _PIECE.match(body)):
            self._count(process, body)
            return None
        if process in self._warned:
            self._warned.discard(process)
            if body[:1].isspace():
                return None
        if total := _TOTAL.search(body):
            self._total = int(total[1])
        if step := _STEP.match(body):
            self._open.pop(process, None)  # a bracket in a text is never closed
            return self._step(int(step[1]), body[step.end() :])
        if told := _TOLD.match(body):
            return told[1]
        if _HOST_WARNING.search(body):
            self._warned.add(process)
            return None
        if _NOISE.search(body):
            return None
        return _LEVEL.sub(lambda level: f"{level[1]}: ", body)

    def _count(self, process: str, body: str) -> None:
        """Follow a dump of several lines to the bracket that ends it."""
        opened = sum(map(body.count, "{[(")) - sum(map(body.count, "}])"))
        self._open[process] = self._open.get(process, 0) + opened
        if self._open[process] <= 0:
            del self._open[process]

    def _step(self, step: int, metrics: str) -> str:
        values = {}
        for item in metrics.split(" - "):
            key, _, text = item.rpartition(":")
            numbers = _NUMBER.findall(text.replace("float64", "").replace("float32", ""))
            if numbers:
                values[key] = float(numbers[-1])
        parts = [f"step {step}" + (f"/{self._total}" if self._total else "")]
        reward = values.get("reward/score/mean", values.get("critic/score/mean"))
        for name, value, form in (
            ("reward", reward, ".3f"),
            ("accuracy", values.get("reward/acc/mean"), ".3f"),
            ("format", values.get("reward/format/mean"), ".3f"),
            ("length", values.get("response_length/mean"), ".0f"),
        ):
            if value is not None:
                parts.append(f"{name} {value:{form}}")
        for reason in ("error", "timeout", "skipped"):
            if share := values.get(f"reward_reason/{reason}"):
                parts.append(f"{reason} {share:.1%}")
        for key, value in values.items():
            if source := re.fullmatch(r"val-core/(.+)/(acc|reward)/mean@\d+", key):
                parts.append(f"validation {source[1]} {value:.3f}")
        seconds = values.get("timing_s/step")
        if seconds is not None:
            parts.append(f"{seconds:.1f} s")
            self._seconds.append(seconds + values.get("timing_s/testing", 0.0))
            if self._total:
                mean = sum(self._seconds) / len(self._seconds)
                parts.append(f"{_duration((self._total - step) * mean)} left")
        return "  ".join(parts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
