"""`dianjin eval`: the folder that it writes, and the server of a model that is a folder."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.asking import results_of
from dianjin_ext.evaluation.machine import hardware, versions
from dianjin_ext.evaluation.task import Task
from dianjin_ext.files import write_json
from dianjin_ext.inference.alone import alone
from dianjin_ext.inference.cycles import sought_seldom
from dianjin_ext.inference.settings import AskSettings
from dianjin_ext.inference.signals import raising
from dianjin_ext.rewards.judge.settings import JudgeSettings

__all__ = ["SUMMARY", "evaluate"]

SUMMARY: Final = "summary.json"
_VERSION: Final = 1
_WEIGHTS: Final = (".safetensors", ".bin", ".gguf", ".pt", ".model", ".jinja")
_TEXTS: Final = ("config", "generation_config", "tokenizer", "chat_template", "vocab", "merges")
"""How the names begin of further files that decide what a model says."""

_LOCAL_IN_FLIGHT: Final = 64
_LOCAL_TIMEOUT_S: Final = 3000.0


def evaluate(
    tasks: Sequence[Task],
    model: AskSettings,
    out: Path,
    *,
    judge: JudgeSettings | None = None,
    tensor_parallel: int = 1,
    max_model_len: int | None = None,
) -> list[dict[str, Any]]:
    """Ask a model the questions of some tasks and write what came out into a folder.

    Every reply is in `out/journal` before it is used, so the same call goes on after whatever ended
    the last one. Each task's responses are in `out/responses`, one JSON line a sample, when all of
    them are there; `out/summary.json` then has its result, beside those of other tasks.

    Args:
        tasks: What is asked.
        model: Whom. Without a `base_url`, its `model` may be a folder, which is served meanwhile:
            by vLLM on a GPU, else on the CPU.
        out: The folder; made where it is missing.
        judge: Who decides where protocol or rules leave it to a judge.
        tensor_parallel: GPUs that share the model of a folder.
        max_model_len: Tokens of prompt and reply there; None is the model's own.

    Returns:
        The results of the tasks.

    Raises:
        Unanswered: Questions have no reply; the same call goes on with them.
        DianjinError: A model can't be asked, or `out` holds results of another model.
    """
    summary = _summary(out, model.model)
    started = time.monotonic()
    results = []
    with ExitStack() as stack:
        stack.enter_context(alone(out / "journal", "eval"))
        _check_unchanged(model, out)
        ready = stack.enter_context(_ready(tasks, model, out, tensor_parallel, max_model_len))
        runner = stack.enter_context(asyncio.Runner())
        stack.enter_context(raising(runner.get_loop()))
        stack.enter_context(sought_seldom())
        stream = results_of(tasks, ready, judge, out)
        while (result := runner.run(_next(stream))) is not None:
            results.append(result)
            others = [r for r in summary["results"] if r["responses"] != result["responses"]]
            summary |= {
                "results": [*others, result],
                "versions": versions(),
                "hardware": hardware(),
                "seconds": round(time.monotonic() - started, 1),
            }
            write_json(out / SUMMARY, summary)
    return results


async def _next(stream: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any] | None:
    return await anext(stream, None)


def _summary(out: Path, model: str) -> dict[str, Any]:
    """Return the summary of a folder; an empty one where there is none yet."""
    path = out / SUMMARY
    if out.exists() and not out.is_dir():
        raise DianjinError(f"{out} is a file; name a folder")
    if not out.absolute().parent.is_dir():
        raise DianjinError(f"there is no folder {out.absolute().parent} to make {out.name} in")
    if not path.exists():
        return {"version": _VERSION, "model": model, "results": []}
    try:
        known: Any = json.loads(path.read_text(encoding="utf-8"))
        fits = known["version"] == _VERSION and isinstance(known["results"], list)
        other = known["model"]
    except (OSError, ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise DianjinError(f"{path} is no summary of `dianjin eval`; choose another folder")
    if other != model:
        raise DianjinError(
            f"{out} holds results of the model {other}, not of {model}; choose another folder"
        )
    return dict(known)


def _check_unchanged(model: AskSettings, out: Path) -> None:
    """Refuse the replies that a folder gave before a model was written into it anew."""
    folder, kept = Path(model.model), out / "journal" / "model.json"
    if model.base_url is not None or not folder.is_dir():
        return
    files = {
        path.name: [path.stat().st_size, path.stat().st_mtime_ns]
        for path in sorted(folder.iterdir())
        if path.suffix in _WEIGHTS
        or (path.suffix in (".json", ".txt") and path.stem.startswith(_TEXTS))
    }
    if not kept.exists():
        write_json(kept, files)
    elif json.loads(kept.read_text(encoding="utf-8")) != files:
        raise DianjinError(
            f"{folder} has been written anew since {out} was begun; choose another folder"
        )


@contextmanager
def _ready(
    tasks: Sequence[Task],
    model: AskSettings,
    out: Path,
    tensor_parallel: int,
    max_model_len: int | None,
) -> Iterator[AskSettings]:
    """Serve a model that is a folder for as long as the context lasts."""
    if model.base_url is not None or not Path(model.model).is_dir():
        yield model
        return
    from dianjin_ext.inference.server import context_of, engine_here, serving

    update: dict[str, Any] = {"keyless": True}
    batch = None
    if engine_here() == "local":
        update["timeout_s"] = _LOCAL_TIMEOUT_S
        if "max_in_flight" in model.model_fields_set:  # who says how many knows the model's size
            batch = model.max_in_flight
        else:
            update["max_in_flight"] = min(model.max_in_flight, _LOCAL_IN_FLIGHT)
    with serving(
        Path(model.model),
        log=out / "server.log",
        name=model.model,
        tensor_parallel=tensor_parallel,
        max_model_len=max_model_len,
        batch=batch,
    ) as url:
        _check_room(tasks, model, context_of(url))
        yield model.model_copy(update={"base_url": url, **update})


def _check_room(tasks: Sequence[Task], model: AskSettings, context: int | None) -> None:
    """Refuse replies that leave no room for a prompt, of which the server would refuse each."""
    for task in tasks:
        most = model.options.get("max_tokens", task.sampling.max_tokens)
        if context is not None and most >= context:
            raise DianjinError(
                f"{task.protocol} allows {task.benchmark.name} replies of {most:,} tokens, but "
                f"{model.model} has room for {context:,} with the prompt; set --max-tokens"
            )
