"""Start and stop a server for a model folder: vLLM on a GPU, else `dianjin_ext.inference.local`."""

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from dianjin_ext.errors import DianjinError

__all__ = ["Engine", "command", "context_of", "engine_here", "serving"]

Engine = Literal["vllm", "local"]

_POLL_S: Final = 0.1
_GRACE_S: Final = 15.0
_TAIL: Final = 15  # lines


def engine_here() -> Engine:
    """Return what serves a model on this machine."""
    gpu = shutil.which("nvidia-smi") is not None and Path("/dev/nvidiactl").exists()
    return "vllm" if gpu and importlib.util.find_spec("vllm") is not None else "local"


def command(
    model: Path,
    *,
    engine: Engine,
    port: int,
    name: str,
    tensor_parallel: int = 1,
    max_model_len: int | None = None,
    batch: int | None = None,
) -> list[str]:
    """Return the command that serves `model`.

    Args:
        model: Folder of a model and its tokenizer in Hugging Face format.
        engine: Who serves it.
        port: On 127.0.0.1.
        name: What requests call it.
        tensor_parallel: GPUs that share the model; for vLLM.
        max_model_len: Tokens of prompt and reply; for vLLM. None is the model's own.
        batch: The most replies at a time; for the local server.
    """
    if engine == "local":
        local = [sys.executable, "-m", "dianjin_ext.inference.local", str(model), "--name", name]
        local += ["--port", str(port), "--parent", str(os.getpid())]
        return local if batch is None else [*local, "--batch", str(batch)]
    vllm = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", str(model)]
    vllm += ["--served-model-name", name, "--host", "127.0.0.1", "--port", str(port)]
    vllm += ["--tensor-parallel-size", str(tensor_parallel)]
    # vLLM else takes temperature and the like from the folder where a request names none
    vllm += ["--generation-config", "vllm"]
    return vllm if max_model_len is None else [*vllm, "--max-model-len", str(max_model_len)]


@contextmanager
def serving(
    model: Path,
    *,
    log: Path,
    engine: Engine | None = None,
    name: str | None = None,
    tensor_parallel: int = 1,
    max_model_len: int | None = None,
    batch: int | None = None,
    ready_within_s: float = 1800.0,
) -> Iterator[str]:
    """Serve a model for as long as the context lasts; yields its `base_url`.

    Args:
        model: Folder of a model and its tokenizer in Hugging Face format.
        log: What the server prints is appended to it.
        engine: Who serves it; None takes what this machine has.
        name: What requests call it; the folder's name unless given.
        tensor_parallel: See `command`.
        max_model_len: See `command`.
        batch: See `command`.
        ready_within_s: Seconds until it must answer.

    Raises:
        DianjinError: There is no model, or the server ends or is not ready in time; the message
            ends with the last lines of its log.
    """
    if not (model / "config.json").is_file():
        raise DianjinError(f"{model} holds no config.json; name the folder of a model")
    port, engine = _free_port(), engine or engine_here()
    given = command(
        model,
        engine=engine,
        port=port,
        name=name or model.resolve().name,
        tensor_parallel=tensor_parallel,
        max_model_len=max_model_len,
        batch=batch,
    )
    if engine == "vllm":  # the local server watches for its parent itself
        given = [sys.executable, "-m", "dianjin_ext.inference.child", str(os.getpid()), *given]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            given,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its children end with it
        )
    try:
        _wait_until_ready(process, port, log, time.monotonic() + ready_within_s)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        _stop(process)


def context_of(url: str) -> int | None:
    """Return the most tokens of prompt and reply together that a server says it takes.

    Args:
        url: What `serving` yields.
    """
    port = urlsplit(url).port
    assert port is not None
    found = _models(port)
    try:
        return int(json.loads(found or b"")["data"][0]["max_model_len"])
    except (ValueError, LookupError, TypeError):
        return None


def _wait_until_ready(
    process: subprocess.Popen[bytes], port: int, log: Path, deadline: float
) -> None:
    while _models(port) is None:
        if process.poll() is not None:
            raise DianjinError(f"the server ended with code {process.returncode}; {_tail(log)}")
        if time.monotonic() > deadline:
            raise DianjinError(f"the server is not ready in time; {_tail(log)}")
        time.sleep(_POLL_S)


def _models(port: int) -> bytes | None:
    """Return what the server says of its models; None while it says nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/v1/models")
        response = connection.getresponse()
        return response.read() if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children, by force where they don't go by themselves."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:]
    return "\n".join([f"its log {log} ends with", *lines])
