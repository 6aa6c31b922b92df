#!/usr/bin/env python3
"""Training on data larger than memory, beside what the disk gives and what memory gives.

    cargo build --release
    python3 benches/scale.py PACKED.safetensors          # packed sparse rows that fit in memory; --share 4: a quarter of them may, then
    python3 benches/scale.py --gigabytes 4 --in FOLDER   # makes such a file first, of synthetic text, and removes it

Prints, in GB of the packed file a second: the disk read from one end to the other, training with all in memory, training with the
memory limited by a control group (both versions; that takes root) to a share of the file, and the last as a part of the smaller of the
first two. Where no group can be made, the window is given by --window and the limit is not enforced; that is said. Expect 0.8 or more.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def drop(path):
    """What the system holds of the file in memory is given up."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def disk_speed(path):
    drop(path)
    buffer, done, start = bytearray(8 << 20), 0, time.perf_counter()
    with open(path, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while n := file.readinto(buffer):
            done += n
    return done / (time.perf_counter() - start)


class Group:
    """A control group that may take so many bytes."""

    def __init__(self, limit):
        self.folder = None
        for parent, file in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
            folder = pathlib.Path(parent, f"hogwild-scale-{os.getpid()}")
            try:
                folder.mkdir()
                (folder / file).write_text(str(limit))
                self.folder = folder
                return
            except OSError:
                if folder.is_dir():
                    folder.rmdir()

    def enter(self):
        if self.folder:
            (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        """What has just ended may be counted for a moment still."""
        for left in reversed(range(20)):
            try:
                if self.folder:
                    self.folder.rmdir()
                return
            except OSError:
                if not left:
                    raise
                time.sleep(0.1)


def train(args, path, window, group=None):
    """The epochs' seconds, the window, and the memory used; the limit holds for the command alone."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "log.jsonl")
        command = [args.hogwild, "train", path, "--epochs", str(args.epochs), "--lr", "0.3", "--window", window, "--log", log, "--quiet"]
        if args.threads:
            command += ["--threads", str(args.threads)]
        subprocess.run(command, check=True, preexec_fn=group and group.enter)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
    window = next((line for line in lines if line["event"] == "window"), None)
    epochs = [line for line in lines if line["event"] == "epoch"]
    return [line["seconds"] for line in epochs], window, lines[-1].get("memory"), [line["loss"] for line in epochs]


def make(args, path):
    rows = int(args.gigabytes * 1e9 / 600)
    synth = [args.hogwild, "synth", "text", "--rows", str(rows), "--nonzeros", "80", "--features", "1000000"]
    with subprocess.Popen(synth, stdout=subprocess.PIPE) as text:
        subprocess.run([args.hogwild, "pack", "-", "-o", path], stdin=text.stdout, check=True)
    if text.returncode:
        raise SystemExit(f"hogwild synth ended with {text.returncode}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed", nargs="?", help="packed sparse rows")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="size of the file that is made where none is given")
    parser.add_argument("--in", dest="folder", default=tempfile.gettempdir(), help="where it is made, on the disk to be measured")
    parser.add_argument("--share", type=float, default=4.0, help="the file's size over the limit")
    parser.add_argument("--epochs", type=int, default=3, help="epochs of each training; the median of their times counts")
    parser.add_argument("--rounds", type=int, default=3, help="all is measured so many times in turn; medians count")
    parser.add_argument("--threads", type=int, help="worker threads; all cores if not given")
    command = ROOT / "target/release/hogwild"
    parser.add_argument("--hogwild", default=command, help="the command to measure; that of this folder if not given")
    args = parser.parse_args()
    path, made = args.packed, None
    if not path:
        made = path = os.path.join(args.folder, f"hogwild-scale-{os.getpid()}.safetensors")
    try:
        if made:
            make(args, made)
        size = os.path.getsize(path)
        limit = int(size / args.share)
        disk_speed(path)
        train(args, path, "off")  # the integrity check, and its stamp
        speeds = []
        for _ in range(args.rounds):
            disk = disk_speed(path)
            memory, _, _, losses = train(args, path, "off")
            drop(path)
            group = Group(limit)
            try:
                limited, window, used, window_losses = train(args, path, "auto" if group.folder else str(limit // 2), group)
            finally:
                group.remove()
            speeds.append((disk, size / statistics.median(memory), size / statistics.median(limited)))
            print("disk {:.2f}, in memory {:.2f}, limited {:.2f} GB/s".format(*(speed / 1e9 for speed in speeds[-1])), flush=True)
        disk, memory, limited = (statistics.median(column) for column in zip(*speeds))
        ratio = statistics.median(limited / min(disk, memory) for disk, memory, limited in speeds)
        how = "by a control group" if group.folder else "by --window alone: no control group could be made"
        print(f"file                     {size / 1e9:7.2f} GB, of which {limit / 1e9:.2f} GB may be in memory, {how}")
        print(f"window                   {window['bytes'] / 1e9 if window else 0:7.2f} GB, {window['groups'] if window else 0} groups")
        print(f"disk, sequential         {disk / 1e9:7.2f} GB/s")
        print(f"training, in memory      {memory / 1e9:7.2f} GB/s   loss {losses[-1]:.5f}")
        own = f"{used['own'] / 1e9:.2f} GB of its own memory"
        print(f"training, limited        {limited / 1e9:7.2f} GB/s   loss {window_losses[-1]:.5f}, {own}")
        print(f"of the smaller           {ratio:7.2f}")
    finally:
        if made:
            pathlib.Path(made).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
