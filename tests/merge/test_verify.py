"""Verifying, checking afterwards, and resuming."""

import json
import shutil
import subprocess

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint
from dianjin_ext.merge.verify import SUMS, check_merged
from dianjin_ext.merge.write import Merger


@pytest.fixture(scope="module")
def verified(checkpoints, tmp_path_factory):
    out = tmp_path_factory.mktemp("verified") / "merged"
    merge_checkpoint(checkpoints / "fsdp2-tp", out, max_shard_size="60KB", verify=True)
    return out


@pytest.fixture
def merged(verified, tmp_path):
    return shutil.copytree(verified, tmp_path / "merged")


def test_sums_are_those_of_sha256sum(merged):
    report = check_merged(merged)
    assert (report.tensors, report.files) == (27, len(list(merged.glob("*.safetensors"))))
    listed = {line.split("  ")[1] for line in (merged / SUMS).read_text().splitlines()}
    assert listed == {path.name for path in merged.iterdir()} - {SUMS}
    assert report.hashed == len(listed)
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", SUMS], cwd=merged, check=True)


def test_sums_without_verifying(checkpoints, tmp_path, merged):
    out = tmp_path / "out"
    merge_checkpoint(checkpoints / "fsdp2-tp", out, max_shard_size="60KB", sums=True)
    assert (out / SUMS).read_bytes() == (merged / SUMS).read_bytes()


def test_sums_are_left_out_unless_asked_for(checkpoints, tmp_path):
    merge_checkpoint(checkpoints / "fsdp2-w1", tmp_path / "out")
    assert not (tmp_path / "out" / SUMS).exists()
    assert check_merged(tmp_path / "out").hashed == 0


def first_weights(folder):
    return min(folder.glob("*.safetensors"))


def change_byte(folder):
    path = first_weights(folder)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def truncate(folder):
    path = first_weights(folder)
    path.write_bytes(path.read_bytes()[:-1])


def change_index(folder):
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    name = next(iter(index["weight_map"]))
    index["weight_map"][name] = max(folder.glob("*.safetensors")).name
    path.write_text(json.dumps(index))


def change_header(folder):
    path = first_weights(folder)
    path.write_bytes(path.read_bytes().replace(b'"shape":[', b'"shape":[9', 1))


def leave_gap(folder):
    path = first_weights(folder)
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    last = max(header.values(), key=lambda entry: entry.get("data_offsets", [0]))
    last["data_offsets"] = [at + 8 for at in last["data_offsets"]]
    text = json.dumps(header).encode()
    rest = data[8 + length :]
    path.write_bytes(len(text).to_bytes(8, "little") + text + rest + bytes(8))


def repeat_a_file(folder):
    first, second = sorted(folder.glob("*.safetensors"))[:2]
    shutil.copyfile(first, second)


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (change_byte, "its SHA-256 is not the one in SHA256SUMS"),
        (truncate, "but its header tells of"),
        (change_index, r"index\.json places .* but it is in"),
        (change_header, "unreadable safetensors header"),
        (leave_gap, r"gap or overlap at byte \d+ of the data"),
        (repeat_a_file, r"is in both model-00001-of-\d+\.safetensors and model-00002"),
        (lambda folder: first_weights(folder).unlink(), r"safetensors is missing"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "missing, but SHA256SUMS lists it"),
        (lambda folder: (folder / "config.json").unlink(), r"holds no config\.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "not valid JSON"),
    ],
)
def test_damage_is_found(merged, damage, match):
    damage(merged)
    with pytest.raises(DianjinError, match=match):
        check_merged(merged)


def test_verify_catches_what_the_disk_changed(checkpoints, tmp_path, monkeypatch):
    """A byte is turned on its way to the disk, after the merger let go of it."""
    import dianjin_ext.merge.direct as direct

    write = direct.os.pwrite

    def turn(fd, data, offset):
        changed = bytearray(data)
        changed[len(changed) // 2] ^= 1
        return write(fd, changed, offset)

    monkeypatch.setattr(direct.os, "pwrite", turn)
    with pytest.raises(DianjinError, match=r"model\.safetensors does not hold what was written"):
        merge_checkpoint(checkpoints / "fsdp2-w1", tmp_path / "out", verify=True)
    assert list(tmp_path.iterdir()) == []


def test_verify_finds_what_was_appended(checkpoints, tmp_path, monkeypatch):
    write = Merger.write_file

    def append(self, file, path, digest=None):
        write(self, file, path, digest)
        with path.open("ab") as opened:
            opened.write(b"more")

    monkeypatch.setattr(Merger, "write_file", append)
    with pytest.raises(DianjinError, match=r"has \d+ bytes instead of \d+"):
        merge_checkpoint(checkpoints / "fsdp2-w1", tmp_path / "out", verify=True)
    assert not (tmp_path / "out").exists()


def test_verify_reads_every_byte(checkpoints, tmp_path):
    seen = []
    plan = merge_checkpoint(
        checkpoints / "fsdp2-w4-columns",
        tmp_path / "out",
        dtype="fp32",
        verify=True,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (2 * plan.nbytes, 2 * plan.nbytes)


class Stop(Exception):
    pass


def interrupted(source, out, after, **options):
    """Merge until a share of the bytes is written."""

    def progress(done, total):
        if done >= after * total:
            raise Stop

    with pytest.raises(Stop):
        merge_checkpoint(source, out, resume=True, progress=progress, **options)
    assert not out.exists()
    return out.parent / f".{out.name}.merging"


def test_resume_goes_on_after_the_finished_files(checkpoints, tmp_path):
    source, options = checkpoints / "fsdp2-w3-fp32", {"max_shard_size": "100KB"}
    merge_checkpoint(source, tmp_path / "whole", **options)
    out = tmp_path / "out"
    part = interrupted(source, out, 0.5, **options)
    done = {path.name: path.stat() for path in part.glob("*.safetensors")}
    assert 0 < len(done) < len(list((tmp_path / "whole").glob("*.safetensors")))
    merge_checkpoint(source, out, resume=True, verify=True, **options)
    for name, status in done.items():  # not written again
        now = (out / name).stat()
        assert (now.st_ino, now.st_mtime_ns) == (status.st_ino, status.st_mtime_ns)
    for path in (tmp_path / "whole").iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()
    assert not part.exists()
    assert {p.name for p in out.iterdir()} - {p.name for p in (tmp_path / "whole").iterdir()} == {
        SUMS
    }
    check_merged(out)


@pytest.mark.parametrize("change", ["the options", "the checkpoint", "no resume"])
def test_what_does_not_fit_is_not_resumed(copy_of, tmp_path, change):
    actor, options = copy_of("fsdp2-w3-fp32"), {"max_shard_size": "100KB"}
    out = tmp_path / "out"
    part = interrupted(actor, out, 0.5, **options)
    before = {path.stat().st_ino for path in part.glob("*.safetensors")}
    kept = [path.open() for path in part.glob("*.safetensors")]  # inode numbers are not reused
    if change == "the options":
        merge_checkpoint(actor, out, resume=True, dtype="bf16", **options)
    elif change == "the checkpoint":
        path = actor / "model_world_size_3_rank_1.pt"
        path.write_bytes(path.read_bytes())
        merge_checkpoint(actor, out, resume=True, **options)
    else:
        merge_checkpoint(actor, out, **options)
    assert not before & {path.stat().st_ino for path in out.glob("*.safetensors")}
    for file in kept:
        file.close()


def test_a_finished_file_that_verifying_finds_damaged_is_not_resumed_from(checkpoints, tmp_path):
    source, options = checkpoints / "fsdp2-w3-fp32", {"max_shard_size": "100KB"}
    part = interrupted(source, tmp_path / "out", 0.5, **options)
    change_byte(part)
    with pytest.raises(DianjinError, match="does not hold what was written"):
        merge_checkpoint(source, tmp_path / "out", resume=True, verify=True, **options)
    merge_checkpoint(source, tmp_path / "out", resume=True, verify=True, **options)
    check_merged(tmp_path / "out")


def test_killed_between_the_two_renames(checkpoints, tmp_path):
    """The old model is out of the way, the new one not yet in place: the old one comes back."""
    out = tmp_path / "out"
    merge_checkpoint(checkpoints / "fsdp2-w1", out)
    old = (out / "model.safetensors").read_bytes()
    out.rename(tmp_path / ".out.replaced")
    with pytest.raises(DianjinError, match="exists; name a new folder"):
        merge_checkpoint(checkpoints / "fsdp2-hsdp", out)
    assert (out / "model.safetensors").read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
