"""Finding the rank files; their contents do not matter here."""

import json

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.sources import RankReader, find_checkpoint


def make(folder, world, ranks, config=True):
    folder.mkdir(parents=True, exist_ok=True)
    for rank in ranks:
        (folder / f"model_world_size_{world}_rank_{rank}.pt").write_bytes(b"%d" % rank)
    if config:
        (folder / "fsdp_config.json").write_text(json.dumps({"world_size": world}))
    return folder


def test_both_levels_are_accepted(tmp_path):
    actor = make(tmp_path / "global_step_7" / "actor", 2, range(2))
    assert find_checkpoint([actor]) == find_checkpoint([actor.parent])
    assert [path.name for path in find_checkpoint([actor]).ranks] == [
        "model_world_size_2_rank_0.pt",
        "model_world_size_2_rank_1.pt",
    ]


def test_a_run_folder_is_answered_with_its_steps(tmp_path):
    make(tmp_path / "global_step_7" / "actor", 1, [0])
    with pytest.raises(DianjinError, match="give one of global_step_7"):
        find_checkpoint([tmp_path])
    with pytest.raises(DianjinError, match="is not a folder"):
        find_checkpoint([tmp_path / "nowhere"])


def test_missing_ranks_are_named(tmp_path):
    folder = make(tmp_path, 1024, set(range(1024)) - {3, 5, 6, 7, 1023})
    with pytest.raises(DianjinError, match="no file for ranks 3, 5-7, 1023 of 1024 in "):
        find_checkpoint([folder])
    folder = make(tmp_path / "one", 2, [1])
    with pytest.raises(DianjinError, match="no file for rank 0 of 2 in "):
        find_checkpoint([folder])


def test_stale_files_of_another_world_size_are_ignored(tmp_path):
    make(tmp_path, 4, range(4), config=False)
    make(tmp_path, 2, range(2))
    assert len(find_checkpoint([tmp_path]).ranks) == 2


def test_without_fsdp_config_the_complete_world_counts(tmp_path):
    make(tmp_path, 4, [0, 2], config=False)
    make(tmp_path, 2, range(2), config=False)
    assert len(find_checkpoint([tmp_path]).ranks) == 2
    make(tmp_path, 4, range(4), config=False)
    with pytest.raises(DianjinError, match="files of world sizes 2, 4 and no fsdp_config"):
        find_checkpoint([tmp_path])


def test_a_config_that_fits_no_file(tmp_path):
    make(tmp_path, 2, range(2))
    (tmp_path / "fsdp_config.json").write_text('{"world_size": 8}')
    with pytest.raises(DianjinError, match="says world size 8, but the files are of world size 2"):
        find_checkpoint([tmp_path])
    (tmp_path / "fsdp_config.json").write_text("[]")
    with pytest.raises(DianjinError, match="expected a JSON object with world_size"):
        find_checkpoint([tmp_path])


def test_several_folders(tmp_path):
    one = make(tmp_path / "a", 3, [0, 2])
    other = make(tmp_path / "b", 3, [1], config=False)
    found = find_checkpoint([one, other, one])
    assert [path.parent.name for path in found.ranks] == ["a", "b", "a"]
    make(other, 3, [2], config=False)
    with pytest.raises(DianjinError, match="rank 2 lies both at "):
        find_checkpoint([one, other])


def test_the_reader_keeps_few_files_open(tmp_path):
    from pathlib import Path

    ranks = find_checkpoint([make(tmp_path, 64, range(64))]).ranks
    before = len(list(Path("/proc/self/fd").iterdir()))
    with RankReader(ranks, max_open=4) as reader:
        for rank in [*range(64), 0]:
            buffer = memoryview(bytearray(1))
            reader.read_into(rank, 0, buffer)
            assert bytes(buffer) == b"%d" % rank if rank < 10 else True
            assert len(list(Path("/proc/self/fd").iterdir())) <= before + 4
        with pytest.raises(DianjinError, match="reading stopped at byte 1"):
            reader.read_into(0, 0, memoryview(bytearray(2)))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
