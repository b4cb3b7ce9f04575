"""Checkpoints and targets in other file systems. fsspec's in-memory one stands for a store.

`test_s3` runs against a real server of the S3 protocol, which the extra `dev-s3` brings.
"""

import importlib.util
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import MergeSettings, merge_checkpoint, places, stores
from dianjin_ext.merge.command import check, run
from dianjin_ext.merge.places import file_system, local_path, url_of

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def memory(monkeypatch):
    """An empty in-memory file system; no part of a weight is fetched with the headers."""
    for name, value in {"_SMALL": 100, "_TAIL": 1000, "_GAP": 0}.items():
        monkeypatch.setattr(places, name, value)
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def upload(system, folder, to):
    for path in folder.rglob("*"):
        if path.is_file():
            system.pipe_file(f"{to}/{path.relative_to(folder).as_posix()}", path.read_bytes())


def files_of(folder):
    paths = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}


def stored(system, root):
    return {path.removeprefix(f"{root}/"): system.cat_file(path) for path in system.find(root)}


@pytest.mark.parametrize("name", ["fsdp2-w4-columns", "fsdp1-w2-tied-sharded-tensor", "fsdp2-tp"])
def test_from_and_to_a_store(memory, checkpoints, tmp_path, monkeypatch, name):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    upload(memory, checkpoints / name / "actor", "/bucket/run/global_step_3/actor")
    memory.pipe_file("/bucket/run/global_step_3/actor/optim_world_size_4_rank_0.pt", b"large")
    merge_checkpoint(checkpoints / name, tmp_path / "local", max_shard_size="60KB", verify=True)
    with places.local_images([tmp_path, "memory://bucket/run/global_step_3"]) as images:
        assert images.folders[0] == tmp_path and len(list(scratch.iterdir())) == 1
    source = "memory://bucket/run/global_step_3"
    options = {"max_shard_size": "60KB", "verify": True}
    merge_checkpoint(source, tmp_path / "here", **options)
    seen = []
    plan = merge_checkpoint(
        source, "memory://models/out", **options, progress=lambda *step: seen.append(step)
    )
    expected = files_of(tmp_path / "local")
    assert files_of(tmp_path / "here") == expected
    assert stored(memory, "/models/out") == expected
    assert seen[-1] == (2 * plan.nbytes, 2 * plan.nbytes)
    assert not list(scratch.iterdir())


def test_weights_are_read_by_ranges(memory, checkpoints, tmp_path, monkeypatch):
    """Planning reads headers only; merging reads no file as a whole."""
    actor = checkpoints / "fsdp2-w3-fp32" / "actor"
    upload(memory, actor, "/bucket/actor")
    read = []

    def cat_file(self, path, start=None, end=None, **_):
        data = type(self).__mro__[1].cat_file(self, path, start=start, end=end)
        if path.endswith(".pt"):
            read.append(len(data))
        return data

    monkeypatch.setattr(type(memory), "cat_file", cat_file)
    size = sum(path.stat().st_size for path in actor.glob("*.pt"))
    run([Path("memory://bucket/actor")], tmp_path, MergeSettings(), dry_run=True)
    headers = sum(read)
    assert headers < size
    read.clear()
    merge_checkpoint("memory://bucket/actor", tmp_path / "out")
    assert max(read) < size / 3 and sum(read) < 1.5 * size + headers


def test_order_of_writing(memory, checkpoints, monkeypatch):
    """A reader never finds config.json before the weights, nor SHA256SUMS before the rest."""
    seen = []
    pipe, commit = memory.pipe_file, stores.StoreWriter.__exit__

    def pipe_file(path, *args, **options):
        pipe(path, *args, **options)
        seen.append((Path(path).name, sorted(stored(memory, "/out"))))

    def leave(self, *error):
        commit(self, *error)
        seen.append((Path(self.path).name, sorted(stored(memory, "/out"))))

    monkeypatch.setattr(memory, "pipe_file", pipe_file)
    monkeypatch.setattr(stores.StoreWriter, "__exit__", leave)
    merge_checkpoint(checkpoints / "fsdp2-w2-tied", "memory://out", max_shard_size="60KB")
    names = [name for name, _ in seen]
    assert names[0] == ".merging" and names[-2:] == ["config.json", "SHA256SUMS"]
    weights = [i for i, name in enumerate(names) if name.endswith(".safetensors")]
    assert len(weights) == 5 and max(weights) < names.index("model.safetensors.index.json")
    assert all(".merging" in files for _, files in seen)
    assert ".merging" not in stored(memory, "/out")


def damage(checkpoints, tmp_path):
    """A checkpoint whose second weight file cannot be made."""
    import shutil

    from dianjin_ext.merge.shards import read_rank

    folder = Path(shutil.copytree(checkpoints / "fsdp2-w1", tmp_path / "damaged"))
    path = folder / "actor" / "model_world_size_1_rank_0.pt"
    piece = read_rank(path, 0)["model.layers.1.mlp.up_proj.weight"].pieces[0]
    with path.open("r+b") as file:
        file.seek(piece.offset)
        file.write(b"\xff\x00\xff\x00")
    return folder


def test_a_failed_merge_leaves_nothing(memory, checkpoints, tmp_path):
    folder = damage(checkpoints, tmp_path)
    with pytest.raises(DianjinError, match=r"up_proj\.weight: the CRC32"):
        merge_checkpoint(folder, "memory://out", max_shard_size="60KB")
    assert stored(memory, "/out") == {}


def test_existing_targets(memory, checkpoints, tmp_path):
    memory.pipe_file("/out/notes.txt", b"mine")
    with pytest.raises(DianjinError, match=r"memory://out exists; .* \(--overwrite\)"):
        merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out")
    with pytest.raises(DianjinError, match=r"holds no config\.json and so is no model"):
        merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out", overwrite=True)
    assert stored(memory, "/out") == {"notes.txt": b"mine"}
    memory.rm_file("/out/notes.txt")
    merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out", max_shard_size="60KB")
    merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out", overwrite=True)
    assert [name for name in stored(memory, "/out") if name.endswith(".safetensors")] == [
        "model.safetensors"
    ]
    check("memory://out")


def test_overwriting_takes_the_old_model_away_first(memory, checkpoints):
    merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out")
    seen = []

    def progress(done, total):
        seen.append(stored(memory, "/out").keys() & {"config.json", "SHA256SUMS"})

    merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out", overwrite=True, progress=progress)
    assert seen and not any(seen)
    check("memory://out")


def test_a_rank_file_that_changes_meanwhile(memory, checkpoints, tmp_path):
    data = (checkpoints / "fsdp2-w1/actor/model_world_size_1_rank_0.pt").read_bytes()
    memory.pipe_file("/rank", data)
    image = places.RankImage(memory, "/rank", len(data), tmp_path / "image")
    at = len(data) // 2
    part = memoryview(bytearray(5_000))
    image.read_into(at, part)
    assert part == data[at : at + 5_000]
    memory.pipe_file("/rank", data[: at + 10])
    with pytest.raises(DianjinError, match="/rank was changed while it was being merged"):
        image.read_into(at, part)


def test_what_a_killed_merge_left_is_replaced(memory, checkpoints):
    memory.pipe_file("/out/.merging", b"")
    memory.pipe_file("/out/model-00001-of-00009.safetensors", b"half")
    with pytest.raises(DianjinError, match="holds no SHA256SUMS: the merge into it did not end"):
        check("memory://out")
    merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out")
    check("memory://out")
    assert "model-00001-of-00009.safetensors" not in stored(memory, "/out")


def test_check_finds_damage(memory, checkpoints):
    merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out")
    data = bytearray(memory.cat_file("/out/model.safetensors"))
    data[-1] ^= 1
    memory.pipe_file("/out/model.safetensors", bytes(data))
    with pytest.raises(DianjinError, match=r"model\.safetensors: its SHA-256 is not"):
        check("memory://out")
    memory.rm_file("/out/model.safetensors")
    with pytest.raises(DianjinError, match=r"lacks model\.safetensors"):
        check("memory://out")


def test_a_lying_store_is_noticed(memory, checkpoints, monkeypatch):
    leave = stores.StoreWriter.__exit__

    def lose_a_byte(self, *error):
        leave(self, *error)
        memory.pipe_file(self._remote, memory.cat_file(self._remote)[:-1] + b"?")

    monkeypatch.setattr(stores.StoreWriter, "__exit__", lose_a_byte)
    with pytest.raises(DianjinError, match="its SHA-256 is not the one of what was written"):
        merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out", verify=True)
    assert stored(memory, "/out") == {}


def test_missing_checkpoints(memory, tmp_path):
    with pytest.raises(DianjinError, match="memory://nowhere holds no files"):
        merge_checkpoint("memory://nowhere", tmp_path / "out")
    memory.pipe_file("/b/actor/model_world_size_2_rank_1.pt", b"cut short")
    with pytest.raises(DianjinError, match="no file for rank 0 of 2"):
        merge_checkpoint("memory://b", tmp_path / "out")
    memory.pipe_file("/b/actor/model_world_size_2_rank_0.pt", b"cut short")
    memory.pipe_file("/b/actor/huggingface/config.json", b"{}")
    memory.pipe_file("/b/actor/huggingface/tokenizer.json", b"{}")
    with pytest.raises(DianjinError, match=r"b/actor/model_world_size_2_rank_0\.pt \(9 bytes\) is"):
        merge_checkpoint("memory://b", tmp_path / "out")


def test_missing_packages(monkeypatch):
    with pytest.raises(DianjinError, match="cannot open abc://x"):
        file_system("abc://x")
    if importlib.util.find_spec("ossfs") is None:
        with pytest.raises(DianjinError, match=r"oss://b/x needs .*: pip install ossfs"):
            file_system("oss://b/x")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(DianjinError, match="s3://b/x needs fsspec: pip install fsspec s3fs"):
        file_system("s3://b/x")


def test_resuming_is_for_local_folders(memory, checkpoints):
    with pytest.raises(DianjinError, match="resume: only a merge from local folders"):
        merge_checkpoint(checkpoints / "fsdp2-w1", "memory://out", resume=True)


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("s3://bucket/run/", "s3://bucket/run"),
        (Path("s3://bucket/run"), "s3://bucket/run"),
        (Path("hdfs://host:9000/run"), "hdfs://host:9000/run"),
        ("runs/s3", None),
        ("/runs/a:b", None),
        ("C:/x", None),
        ("file:///runs/x", None),
    ],
)
def test_urls(place, url):
    assert url_of(place) == url


def test_file_urls_are_local(checkpoints, tmp_path):
    merge_checkpoint(f"file://{checkpoints}/fsdp2-w1", f"file://{tmp_path}/out")
    assert (tmp_path / "out" / "model.safetensors").exists()
    assert local_path("local:///a/b") == Path("/a/b")


@pytest.mark.slow
def test_s3(checkpoints, tmp_path, monkeypatch):
    server = pytest.importorskip("moto.server", reason="the extra dev-s3 is not installed")
    pytest.importorskip("s3fs")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr(places, "_SMALL", 100)
    monkeypatch.setattr(places, "_GAP", 0)
    running = server.ThreadedMotoServer(port=0)
    running.start()
    try:
        _, port = running.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        s3 = fsspec.filesystem("s3")
        s3.mkdir("runs")
        s3.put(str(checkpoints / "fsdp2-w4-columns" / "actor"), "runs/step/actor", recursive=True)
        merge_checkpoint("s3://runs/step", "s3://runs/out", max_shard_size="60KB", verify=True)
        merge_checkpoint(
            checkpoints / "fsdp2-w4-columns", tmp_path / "out", max_shard_size="60KB", verify=True
        )
        s3.invalidate_cache()
        assert stored(s3, "runs/out") == files_of(tmp_path / "out")
        check("s3://runs/out")
        folder = damage(checkpoints, tmp_path)
        with pytest.raises(DianjinError, match=r"up_proj\.weight: the CRC32"):
            merge_checkpoint(folder, "s3://runs/broken", max_shard_size="60KB")
        s3.invalidate_cache()
        assert s3.find("runs/broken") == []
        uploads = s3.call_s3("list_multipart_uploads", Bucket="runs").get("Uploads", [])
        assert uploads == [], re.sub(r"\s+", " ", str(uploads))
    finally:
        running.stop()


def test_two_merges_in_one_process_keep_their_sources_apart(memory, checkpoints, tmp_path):
    """Two places with the same names and other bytes, merged at the same time."""
    names = ("fsdp2-w1", "fsdp2-w2-tied")
    for name in names:
        upload(memory, checkpoints / name / "actor", f"/{name}/actor")
        merge_checkpoint(checkpoints / name, tmp_path / name)
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(merge_checkpoint, f"memory://{name}", tmp_path / f"{name}-{turn}")
            for turn in range(3)
            for name in names
        ]
        for job in jobs:
            job.result()
    for name in names:
        for turn in range(3):
            assert files_of(tmp_path / f"{name}-{turn}") == files_of(tmp_path / name)
