"""`dianjin reward-server`: the rewards behind LLaMA-Factory's `reward_model_type: api` (PPO).

The trainer posts `{"model": "model", "messages": [TEXT, …]}` and expects `{"scores": [NUMBER, …]}`;
what else a server answers, and any error, ends the training. So a text whose prompt is not in the
data, or whose reward raises, gets `UNMATCHED` and is logged; only while no text was ever matched is
a request refused, because then recipe and data don't fit together.
"""

import logging
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.grading import HostGrader, Response
from dianjin_ext.hosts.llamafactory.prompts import Prompts, read_rows

__all__ = ["create_app", "read_recipe", "serve"]

UNMATCHED = 0.0

logger = logging.getLogger(__name__)


class Query(BaseModel):
    """What the trainer posts; `messages` are texts of prompt and response."""

    messages: list[str]


class Answer(BaseModel):
    """What the trainer expects: a finite number for each message."""

    scores: list[float]


def create_app(prompts: Prompts, settings: Mapping[str, Any]) -> FastAPI:
    """Return the application; it answers at every path.

    Args:
        prompts: The rows that may be asked about.
        settings: As for `dianjin_ext.rewards.compute_score`, and `judge`.

    Raises:
        DianjinError: A setting is not known, or a data source has no reward.
    """
    grader = HostGrader(settings, can_skip=False)
    for row in {row.data_source: row for row in prompts.rows.values()}.values():
        grader([Response(row.data_source, "", row.ground_truth, row.extra_info)])
    counts = {"matched": 0, "unmatched": 0}
    app = FastAPI(title="dianjin reward server")

    @app.post("/{path:path}")
    def score(path: str, query: Query) -> Answer:
        found = [prompts.find(text) for text in query.messages]
        matched = [response for response in found if response is not None]
        counts["matched"] += len(matched)
        counts["unmatched"] += len(found) - len(matched)
        if len(matched) < len(found):
            text = next(t for t, f in zip(query.messages, found, strict=True) if f is None)
            _tell(text, counts)
        if found and not counts["matched"]:
            raise HTTPException(422, "no prompt of the data begins these messages")
        try:
            rows = iter(grader(matched))
        except DianjinError as error:
            logger.error("%s", error)
            raise HTTPException(500, str(error)) from error
        graded = [None if response is None else next(rows) for response in found]
        return Answer(scores=[UNMATCHED if row is None else float(row["score"]) for row in graded])

    return app


def _tell(text: str, counts: Mapping[str, int]) -> None:
    """Log about every doubling of the number of unmatched texts."""
    number = counts["unmatched"]
    if number & (number - 1) == 0 or not counts["matched"]:
        logger.error(
            "no prompt of the data begins this message; scored %g (%d such messages, %d matched): "
            "%.300r. Are the recipe's model, template, default_system and cutoff_len, and the "
            "data, those of the training?",
            UNMATCHED,
            number,
            counts["matched"],
            text,
        )


def read_recipe(path: Path, overrides: list[str]) -> dict[str, Any]:
    """Return LLaMA-Factory's training arguments from a YAML file and `key=value` overrides.

    Raises:
        DianjinError: The file can't be read.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        merged = OmegaConf.merge(OmegaConf.load(path), OmegaConf.from_cli(overrides))
        recipe = OmegaConf.to_container(merged, resolve=True)
    except (OSError, YAMLError, OmegaConfBaseException, ValueError) as error:
        raise DianjinError(f"{path}: can't be read as a recipe: {error}") from error
    if not isinstance(recipe, dict):
        raise DianjinError(f"{path}: expected a mapping of training arguments")
    return {str(key): value for key, value in recipe.items()}


def check_port(host: str, port: int) -> None:
    """Refuse an address that can't be listened at.

    Raises:
        DianjinError: The port is taken, impossible or not allowed, or the host is not this machine.
    """
    if not 0 < port < 65536:
        raise DianjinError(f"--port is {port}; expected 1 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise DianjinError(
            f"can't listen at {host}:{port} ({why}); choose another --port or --host"
        ) from None


def serve(
    data: Path,
    recipe: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    host: str,
    port: int,
) -> None:
    """Serve until interrupted.

    Args:
        data: Verl parquet or JSON lines: the prompts of the training and their gold answers.
        recipe: The arguments of the training.
        settings: See `create_app`.
        host: Address to listen at. There is no authentication.
        port: Port to listen at.

    Raises:
        DianjinError: See `read_rows`, `Prompts.render` and `create_app`.
    """
    import uvicorn

    check_port(host, port)
    prompts = Prompts.render(read_rows(data), recipe)
    app = create_app(prompts, settings)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    if prompts.too_long:
        logger.warning("%d prompts are left out: cutoff_len cuts them", prompts.too_long)
    logger.info("%d prompts; reward_model: http://%s:%d", len(prompts.rows), host, port)
    uvicorn.run(app, host=host, port=port, log_level="warning")
