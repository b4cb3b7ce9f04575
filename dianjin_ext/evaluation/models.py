"""The models of an evaluation: the one that is asked, and those that decide about its answers."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.grading import EXTRACTOR, Grading
from dianjin_ext.evaluation.protocol import Rules
from dianjin_ext.evaluation.task import MODEL
from dianjin_ext.inference.settings import AskSettings
from dianjin_ext.rewards.judge.settings import JudgeSettings

if TYPE_CHECKING:
    from dianjin_ext.inference.asker import Asker
    from dianjin_ext.rewards.judge.judge import Judge

__all__ = ["Models", "open_models"]


class Models(NamedTuple):
    """Models that can be asked.

    Attributes:
        askers: By role.
        judge: Who decides on answers; None for nobody.
    """

    askers: "Mapping[str, Asker]"
    judge: "Judge | None"

    def grading(self, rules: Rules) -> Grading:
        """Return what grades the replies under some rules."""
        return Grading(rules, judge=self.judge, extracting=EXTRACTOR in self.askers)


@asynccontextmanager
async def open_models(
    rules: Iterable[Rules],
    out: Path,
    *,
    model: AskSettings | None = None,
    judge: JudgeSettings | None = None,
) -> AsyncIterator[Models]:
    """Open the models of a run for as long as the context lasts.

    Args:
        rules: What the protocols say.
        out: Folder of the run; replies are kept in its `journal`, verdicts in its `judge`.
        model: Who is evaluated; None where somebody else asks it.
        judge: Who decides where the protocols or the rules leave it to a judge.

    Raises:
        DianjinError: A setting can't work, or a package is missing.
    """
    settings = {} if model is None else {MODEL: model}
    if judge is not None and any(each.judge == "extract" for each in rules):
        settings[EXTRACTOR] = _extractor(judge)
    async with AsyncExitStack() as stack:
        askers = {}
        for role, its in settings.items():
            askers[role] = await stack.enter_async_context(_asker(its, out, role))
        its_judge = None if judge is None else _judge(judge, out)
        if its_judge is not None:
            stack.push_async_callback(its_judge.close)
        yield Models(askers, its_judge)


def _asker(settings: AskSettings, out: Path, role: str) -> "Asker":
    try:
        from dianjin_ext.inference.asker import Asker
        from dianjin_ext.inference.journal import SharedJournal
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"asking a model needs {error.name}; pip install 'dianjin-ext[ask]'"
        ) from error
    return Asker(settings, SharedJournal(out / "journal", role), role=role)


def _judge(settings: JudgeSettings, out: Path) -> "Judge":
    try:
        from dianjin_ext.rewards.judge.judge import Judge
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"the judge needs {error.name}; pip install 'dianjin-ext[judge]'"
        ) from error
    kept = settings.cache_dir or str((out / "judge").absolute())
    return Judge(settings.model_copy(update={"cache_dir": kept}))


def _extractor(judge: JudgeSettings) -> AskSettings:
    """Return the settings under which the judge's model takes out final answers."""
    if judge.kind != "chat":
        raise DianjinError("judge.kind: taking final answers out of responses needs kind: chat")
    return AskSettings(
        model=judge.model,
        base_url=judge.base_url,
        api_key_env=judge.api_key_env,
        keyless=judge.keyless,
        max_in_flight=judge.max_concurrency,
        requests_per_minute=judge.requests_per_minute,
        timeout_s=judge.timeout_s,
        max_attempts=judge.max_attempts,
    )
