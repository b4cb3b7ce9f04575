"""Merging side by side: ours, verl's merger, and what the machine itself needs to copy the bytes.

    python benchmarks/bench_merge.py [--size 0.5b] [--world 4] [--folder DIR] [--repeat 2]

Writes an FSDP2 checkpoint with verl's own checkpoint manager first (kept in DIR and used again if
given), then measures whole processes: wall seconds, processor seconds, and peak resident memory of
the process and its children, with the checkpoint in the page cache (warm) and evicted from it
(cold). The rows beside the mergers are the machine's limits: `cp` of the rank files with fsync, and
`dd` reading and writing as many bytes past the page cache. Best of the repetitions.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import psutil
from fsdp_checkpoints import SIZES, write_checkpoint

CP = 'mkdir "$2" && cp "$1"/*.pt "$2" && sync "$2"/*'
READ = 'for file in "$1"/*.pt; do dd if="$file" of=/dev/null bs=8M iflag=direct; done'
WRITE = 'dd if=/dev/zero of="$2" bs=8M count=$3 oflag=direct conv=fsync'


def commands(source, target, nbytes, seed_script):
    """What is measured: name to command line."""

    def shell(script):
        return ["sh", "-ec", script, "sh", str(source), str(target), str(-(-nbytes >> 23))]

    ours = str(Path(sys.executable).with_name("dianjin"))
    verl = [sys.executable, "-m", "verl.model_merger", "merge", "--backend", "fsdp"]
    rows = {
        "cp with fsync": shell(CP),
        "O_DIRECT read": shell(READ),
        "O_DIRECT write": shell(WRITE),
        "dianjin merge": [ours, "merge", str(source), str(target)],
        "dianjin merge --sums": [ours, "merge", str(source), str(target), "--sums"],
        "verl.model_merger": [*verl, "--local_dir", str(source), "--target_dir", str(target)],
    }
    if seed_script:
        world = str(len(list(source.glob("*.pt"))))
        rows["merge_model.py"] = [
            *(sys.executable, str(seed_script), "--fsdp_path", str(source)),
            *("--hf_path", str(source / "huggingface")),
            *("--out_path", str(target), "--world_size", world),
        ]
    return rows


def evict(folder):
    """Drop a folder's files from the page cache."""
    os.sync()
    for path in folder.glob("*.pt"):
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def warm(folder):
    """Bring a folder's files into the page cache."""
    os.sync()
    buffer = bytearray(1 << 20)
    for path in folder.glob("*.pt"):
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def resident(process):
    """Bytes that a process and its children have resident."""
    total = 0
    for member in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):  # it may just have ended
            total += member.memory_info().rss
    return total


def measure(command, name):
    """Run a process; its wall seconds, processor seconds and peak resident MiB."""
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = psutil.Popen(command, stdout=output, stderr=output)
        peak, done = 0, 0
        while not done:
            with contextlib.suppress(psutil.Error):
                peak = max(peak, resident(process))
            time.sleep(0.02)
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
        seconds = time.perf_counter() - begin
        if status:
            output.seek(0)
            raise SystemExit(f"{name} failed:\n{output.read().decode()[-3000:]}")
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        # A single process is measured exactly, several by looking now and then.
        "peak_mib": round(max(peak / 2**20, usage.ru_maxrss / 2**10), 1),
        "load": round(os.getloadavg()[0], 1),
    }


def wait_for_quiet(limit, patience):
    """Wait until the machine does little else; go on regardless once patience is over."""
    end = time.monotonic() + patience
    while os.getloadavg()[0] > limit and time.monotonic() < end:
        time.sleep(2)


def compare(rows):
    """How many times slower and larger the others are than ours."""
    ours = rows["dianjin merge"]
    for name in [name for name in rows if name != "dianjin merge"]:
        slower = rows[name]["seconds"] / ours["seconds"]
        text = f"  {name}: {slower:.1f} times our seconds"
        if "merge" in name:
            text += f", {rows[name]['peak_mib'] / ours['peak_mib']:.0f} times our memory"
        print(text)


def main():
    """Measure, print a table, and the same as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="0.5b")
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--world", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--cache", choices=["warm", "cold"], nargs="+", default=["warm", "cold"])
    parser.add_argument("--folder", type=Path, help="keep the checkpoint here")
    parser.add_argument("--seed-script", type=Path, help="DianJin-R1's merge_model.py")
    parser.add_argument("--max-load", type=float, default=2.5, help="load to wait for")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for it")
    options = parser.parse_args()
    name = f"{options.size}-{options.dtype}-{options.world}"
    work = Path(tempfile.mkdtemp(prefix="bench-merge-", dir=options.folder))
    try:
        source = (options.folder or work) / name / "actor"
        if not source.exists():
            # In a process of its own: what starts a program hands its own peak of memory on to it.
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                writing = (source.parent, options.size, options.dtype, options.world)
                pool.submit(write_checkpoint, *writing).result()
        nbytes = sum(path.stat().st_size for path in source.glob("*.pt"))
        print(f"{name}: {nbytes / 1e9:.2f} GB in {options.world} rank files")
        if not options.seed_script:
            print("DianJin-R1's merge_model.py is left out (--seed-script names it)")
        target, results = work / "merged", {}
        for cache in options.cache:
            rows = results[cache] = {}
            for label, command in commands(source, target, nbytes, options.seed_script).items():
                runs = []
                for _ in range(options.repeat):
                    wait_for_quiet(options.max_load, options.patience)
                    (evict if cache == "cold" else warm)(source)
                    runs.append(measure(command, label))
                    shutil.rmtree(target, ignore_errors=True)
                    target.unlink(missing_ok=True)
                best = rows[label] = min(runs, key=lambda run: run["seconds"])
                print(
                    f"{cache} {label:20} {best['seconds']:7.2f} s {best['cpu_seconds']:7.2f} s CPU "
                    f"{best['peak_mib']:8.1f} MiB, load {best['load']}",
                    flush=True,
                )
            compare(rows)
        print(json.dumps({"checkpoint": name, "bytes": nbytes, **results}))
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
