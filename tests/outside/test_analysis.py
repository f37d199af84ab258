"""An analysis that an installed package adds: command, job, cost, rows, and its parts after a kill."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from interpret_core import jobs
from interpret_core.analyses import registry
from interpret_core.store import Store
from tests.outside.brightness import BrightnessRequest
from tests.outside.conftest import ROOT, Install
from tests.planted_classes import COLOURS, PICTURES, write_pictures

GROUP = "unitscope.analyses"
TARGET = "tests.outside.brightness:ENTRY"


@pytest.fixture
def pictures(tmp_path: Path, install: Install) -> Path:
    install(GROUP, "brightness", TARGET)
    return write_pictures(tmp_path / "pictures")


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "interpret_core", *map(str, arguments)]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.thorough
def test_it_is_a_command_with_its_options(pictures: Path, tmp_path: Path) -> None:
    assert "How bright the pictures of a data set are." in command("--help").stdout
    told = " ".join(command("brightness", "--help").stdout.split())
    assert "--channel NAME Of red, green and blue. [default: green]" in told
    wrong = command("brightness", "--dataset", pictures, "--channel", "purple")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Error: Unknown channel 'purple'")
    done = command("brightness", "--dataset", pictures, "--channel", "red", "--out", tmp_path / "b.csv")
    assert (done.returncode, done.stderr) == (0, "")
    with (tmp_path / "b.csv").open(newline="") as file:
        found = [float(row["brightness"]) for row in csv.DictReader(file)]
    assert found == [COLOURS[one.colour][0] for one in PICTURES]


@pytest.mark.thorough
def test_it_is_a_job_that_goes_on_from_its_parts(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("BRIGHTNESS_LOG", str(log))
    monkeypatch.setenv("BRIGHTNESS_PAUSE", "0.2")
    request = BrightnessRequest(str(pictures))
    analysis = registry.find("brightness").load()
    with Store(tmp_path / "cache") as store:
        before = analysis.plan(request, store)
        assert before.missing == ("pictures",)
        assert before.cost.words == f"reads {len(PICTURES)} images"
        job = jobs.submit(store, "brightness", request.to_json())
        end = time.monotonic() + 60
        while len(store.keys("partial/")) < 3 and time.monotonic() < end:
            time.sleep(0.02)
        os.killpg(jobs.find(store, job.id).pid, signal.SIGKILL)
        assert analysis.find(request, store) is None
        done = jobs.wait(store, job.id, 60)
        assert done.attempts == 2
        assert (done.state, done.done, done.total) == ("done", len(PICTURES), len(PICTURES)), done.message
        rows = list(analysis.rows(analysis.find(request, store)))
        assert [row["brightness"] for row in rows] == [COLOURS[one.colour][1] for one in PICTURES]
        assert not analysis.plan(request, store).missing
        assert not store.keys("partial/")
    often = Counter(log.read_text().split())
    assert set(often) == {str(index) for index in range(len(PICTURES))}
    assert often.total() <= len(PICTURES) + 1, "at most the part that was being computed, once more"


def test_what_cannot_be_loaded_is_left_out_with_a_line(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install(GROUP, "broken", "tests.outside.nothing:ENTRY")
    install(GROUP, "foreign", "tests.outside.brightness:Channel")
    assert "profile" in registry.entries()
    assert "brightness" not in registry.entries()
    assert "tests.outside.nothing:ENTRY is left out: ModuleNotFoundError" in caplog.text
    assert "expected Entry" in caplog.text


def test_a_name_that_is_taken_is_left_out(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install(GROUP, "again", "interpret_core.analyses.profile:ENTRIES")
    install(GROUP, "profile", "tests.outside.test_analysis:TAKEN")
    assert registry.find("profile").request.__module__ == "interpret_core.analyses.profile.request"
    assert "'profile' or its command is taken" in caplog.text


TAKEN = registry.Entry("profile", "Something else.", BrightnessRequest, "nothing:Nothing")
