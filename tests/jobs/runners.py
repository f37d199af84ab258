"""What the tests' jobs do; each runs in a process of its own."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np

from interpret_core.errors import DatasetError
from interpret_core.store.records import Record


def count(request, store, progress, cancelled):
    """Steps with a pause; notes its start and its end, to see who ran when."""
    log = Path(request["log"]) if "log" in request else None
    if log:
        with log.open("a") as file:
            file.write(f"start {request.get('name', '')}\n")
    for step in range(request["steps"]):
        progress("counting", step, request["steps"])
        time.sleep(request["pause"])
    progress("counting", request["steps"], request["steps"])
    if log:
        with log.open("a") as file:
            file.write(f"end {request.get('name', '')}\n")


def polite(request, store, progress, cancelled):
    """Never reports progress, but asks whether to stop."""
    while not cancelled():
        time.sleep(0.02)
    raise InterruptedError("stopped on its own terms")


def deaf(request, store, progress, cancelled):
    """Neither reports nor asks."""
    progress("deaf", 0, 1)
    while True:
        time.sleep(0.1)


def mistake(request, store, progress, cancelled):
    """A user's mistake."""
    raise DatasetError("Folder '/nowhere' has no index.csv. Point to a folder in Broden's layout.")


def bug(request, store, progress, cancelled):
    """A programmer's mistake."""
    raise ValueError("a bug\nover two lines")


def leave(request, store, progress, cancelled):
    """Leaves as no runner should."""
    raise SystemExit(0)


def busy(request, store, progress, cancelled):
    """Very many small steps; afterwards the number of writes is told by the store's own counter."""
    writes = []
    update = store.update_json
    store.update_json = lambda *arguments: (writes.append(time.monotonic()), update(*arguments))[1]
    end, step = time.monotonic() + request["seconds"], 0
    while time.monotonic() < end:
        progress(f"stage {step // 1000}", step, 10**9)
        step += 1
    store.update_json = update
    store.put_json("busy", {"steps": step, "writes": writes})


def surroundings(request, store, progress, cancelled):
    """What a job's process looks like from within."""
    store.put_json(
        "surroundings",
        {
            "nice": os.nice(0),
            "leads": os.getpid() == os.getpgid(0) == os.getsid(0),
            "stdin": Path("/proc/self/fd/0").resolve().as_posix(),
            "pid": os.getpid(),
        },
    )
    print("a line for the log", flush=True)
    store.put("record", Record({"a": np.arange(3)}))


def fill(request, store, progress, cancelled):
    """Fills the disk."""
    for number in range(1000):
        store.put(f"{number}", Record({"a": np.random.default_rng(0).integers(0, 256, 200_000, np.uint8)}))


def crowd(request, store, progress, cancelled):
    """Takes the disk's last byte, so that not even a line fits into the log."""
    with (store.folder / "junk").open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(os.urandom(size))
        os.fsync(file.fileno())
    raise DatasetError("Folder '/nowhere' has no index.csv. Point to a folder in Broden's layout.")


def compute(request, store, progress, cancelled):
    """Something in torch."""
    import torch

    torch.ones(8).sum()


def vanish(request, store, progress, cancelled):
    """Dies as often as asked, as of lack of memory; notes every start."""
    with Path(request["log"]).open("a") as file:
        file.write("start\n")
    progress("vanishing", 0, 1)
    print("the last that was heard of it", flush=True)
    if Path(request["log"]).read_text().count("start") <= request["times"]:
        os.kill(os.getpid(), signal.SIGKILL)


def parent(request, store, progress, cancelled):
    """Has children, one of them in a session of its own, and says who they are."""
    children = [subprocess.Popen(["sleep", "600"], start_new_session=own) for own in (False, True)]
    store.put_json("children", [child.pid for child in children])
    polite(request, store, progress, cancelled)


def run(request, store, progress, cancelled):
    """Whichever of these the request names; nothing in it is code."""
    known = (
        vanish,
        parent,
        count,
        polite,
        deaf,
        mistake,
        bug,
        leave,
        busy,
        surroundings,
        fill,
        crowd,
        compute,
    )
    {one.__name__: one for one in known}[request["run"]](request, store, progress, cancelled)
