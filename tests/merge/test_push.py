"""Uploads by the real huggingface_hub to a hub on this machine."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.push import Hub

pytest.importorskip("huggingface_hub")
_spec = importlib.util.spec_from_file_location(
    "hub_server", Path(__file__).with_name("hub_server.py")
)
hub_server = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hub_server)

# The address of the hub is read when huggingface_hub is imported: hence a process of its own.
PUSH = """
import json, sys
from pathlib import Path
from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import MergeSettings
from dianjin_ext.merge.command import run
try:
    settings = MergeSettings(max_shard_size="60KB")
    run([Path(sys.argv[1])], Path(sys.argv[2]), settings, push=sys.argv[3])
except DianjinError as error:
    sys.exit(f"error: {error}")
"""


@pytest.fixture
def hub():
    server = hub_server.Hub()
    yield server
    server.shutdown()
    server.server_close()


def push(hub, ckpt, out, repo, token=hub_server.TOKEN):
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "*"}
    env.pop("HF_TOKEN", None)
    env |= {"HF_TOKEN": token} if token else {}
    command = [sys.executable, "-c", PUSH, str(ckpt), str(out), repo]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


def test_uploads_the_verified_folder_in_one_commit(hub, checkpoints, tmp_path):
    out = tmp_path / "out"
    run = push(hub, checkpoints / "fsdp2-w2-tied", out, "desk/analyst")
    assert run.returncode == 0, run.stderr
    assert f"{hub.url}/desk/analyst/commit/1" in run.stdout
    files = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert hub.repos["desk/analyst"] == files
    assert hub.private["desk/analyst"] is True
    assert "SHA256SUMS" in files  # it was verified first
    index = json.loads(hub.repos["desk/analyst"]["model.safetensors.index.json"])
    assert set(index["weight_map"].values()) <= files.keys()
    assert [path for _, path in hub.requests if "/commit/" in path] == [
        "/api/models/desk/analyst/commit/main"
    ]
    assert hub_server.TOKEN not in run.stdout + run.stderr


def test_a_wrong_token_fails_before_the_merge(hub, checkpoints, tmp_path):
    run = push(hub, checkpoints / "fsdp2-w1", tmp_path / "out", "desk/analyst", token="hf_wrong")
    assert run.returncode == 1
    assert "refused create_repo for desk/analyst: " in run.stderr and "401" in run.stderr
    assert "hf_wrong" not in run.stdout + run.stderr
    assert not (tmp_path / "out").exists()


def test_a_failed_upload_leaves_both_sides_whole(hub, checkpoints, tmp_path):
    hub.repos["desk/analyst"] = {"README.md": b"as it was"}
    hub.break_uploads = True
    run = push(hub, checkpoints / "fsdp2-w1", tmp_path / "out", "desk/analyst")
    assert run.returncode == 1
    assert "refused upload_folder for desk/analyst: " in run.stderr
    assert hub.repos["desk/analyst"] == {"README.md": b"as it was"}
    assert (tmp_path / "out" / "SHA256SUMS").exists()


def test_the_token_comes_from_the_environment_only(hub, checkpoints, tmp_path, monkeypatch):
    stored = tmp_path / "home"
    stored.mkdir()
    (stored / "token").write_text(hub_server.TOKEN)
    monkeypatch.setenv("HF_HOME", str(stored))
    run = push(hub, checkpoints / "fsdp2-w1", tmp_path / "out", "desk/analyst", token=None)
    assert run.returncode == 1 and "set HF_TOKEN in the environment" in run.stderr
    assert hub.requests == []


def test_a_name_without_an_organisation(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    with pytest.raises(DianjinError, match="expected organisation/name, got 'analyst'"):
        Hub("analyst")
