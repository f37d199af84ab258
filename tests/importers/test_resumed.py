"""An import that is cut off goes on, to the same bytes, and does nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from interpret_core.datasets import open_dataset
from interpret_core.errors import Cancelled, DatasetError
from interpret_core.importers import Importer, ImportSettings, run_import, runner, target
from interpret_core.importers.formats.camvid import CamVid
from interpret_core.importers.formats.coco_panoptic import CocoPanoptic
from interpret_core.importers.formats.folder import PictureFolder
from interpret_core.importers.formats.voc import Voc
from interpret_core.importers.target import WORK, ImportTarget
from tests.importers.sources import GRID, files_of, photograph, save, write_camvid, write_panoptic, write_voc


def voc(root: Path) -> Importer:
    write_voc(root)
    (root / "VOCdevkit/VOC2012/JPEGImages/2007_000001.jpg").write_bytes(b"no picture")  # left out both times
    return Voc(str(root))


def panoptic(root: Path) -> Importer:
    write_panoptic(root)
    return CocoPanoptic(str(root))


def folder(root: Path) -> Importer:
    for place, name in enumerate(("a/1.jpg", "a/2.jpg", "b/3.png", "b/4.jpg")):
        save(root / name, photograph((20, 20), place))
    return PictureFolder(str(root))


MAKERS = pytest.mark.parametrize("make", [voc, panoptic, folder])


class Stopped:
    """Somebody who stops an import when some pictures are finished."""

    def __init__(self, after: int) -> None:
        self.after, self.done = after, 0

    def tell(self, stage: str, done: int, total: int | None) -> None:
        if stage == "import":
            self.done = done

    def asked(self) -> bool:
        return self.done >= self.after


def stopped(importer: Importer, settings: ImportSettings, after: int) -> None:
    who = Stopped(after)
    with pytest.raises(Cancelled, match=r"the same command goes on"):
        run_import(importer, settings, who.tell, who.asked)


@MAKERS
@pytest.mark.parametrize("after", [1, 3])
def test_the_same_bytes_however_often_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Importer], after: int
) -> None:
    asked = make(tmp_path / "source")
    whole = run_import(asked, ImportSettings(tmp_path / "whole", GRID, resize=18))
    settings = ImportSettings(tmp_path / "parts", GRID, resize=18)
    monkeypatch.setattr(runner, "_AHEAD", 1)
    done: list[str] = []
    once = runner._ImportRun._entry
    monkeypatch.setattr(runner._ImportRun, "_entry", lambda run, one: done.append(one.name) or once(run, one))
    stopped(asked, settings, after)
    assert not (tmp_path / "parts" / "index.csv").exists()
    assert not (tmp_path / "parts" / "classes.csv").exists()
    first = len(done)
    found = run_import(asked, settings)
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")
    assert found.to_json() == whole.to_json()
    # At most the pictures that were in the making are made again.
    assert len(done) - len(set(done)) <= first - after
    assert not (tmp_path / "parts" / WORK).exists()


@MAKERS
def test_a_line_that_was_cut_off_is_written_again(tmp_path: Path, make: Callable[[Path], Importer]) -> None:
    asked = make(tmp_path / "source")
    run_import(asked, ImportSettings(tmp_path / "whole", GRID))
    settings = ImportSettings(tmp_path / "parts", GRID)
    stopped(asked, settings, 2)
    journal = tmp_path / "parts" / WORK / "pictures.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    (tmp_path / "parts" / WORK / "7.part").write_bytes(b"half a mask")
    run_import(asked, settings)
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


@pytest.mark.parametrize("after", [1, 5])
def test_stopped_between_a_picture_and_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    asked = panoptic(tmp_path / "source")
    run_import(asked, ImportSettings(tmp_path / "whole", GRID))
    settings = ImportSettings(tmp_path / "parts", GRID)
    left, take = iter(range(after)), ImportTarget.take

    def dying(self: ImportTarget, part: Path, name: str) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        take(self, part, name)

    with monkeypatch.context() as patched:
        patched.setattr(ImportTarget, "take", dying)
        with pytest.raises(KeyboardInterrupt):
            run_import(asked, settings)
    run_import(asked, settings)
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


def test_once_more_does_nothing(tmp_path: Path) -> None:
    asked, settings = voc(tmp_path / "source"), ImportSettings(tmp_path / "out", GRID)
    found = run_import(asked, settings)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.*")}
    again = run_import(asked, settings)
    assert again.again
    assert again.to_json() == found.to_json()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.*")} == before


def test_other_options_do_not_go_on(tmp_path: Path) -> None:
    asked = panoptic(tmp_path / "source")
    stopped(asked, ImportSettings(tmp_path / "out", GRID), 1)
    with pytest.raises(DatasetError, match=r"unfinished import .* other options"):
        run_import(asked, ImportSettings(tmp_path / "out", (8, 8)))
    run_import(asked, ImportSettings(tmp_path / "out", GRID))
    with pytest.raises(DatasetError, match=r"imported from something else or with other options"):
        run_import(asked, ImportSettings(tmp_path / "out", (8, 8)))


def test_pictures_that_came_in_between_do_not_go_on(tmp_path: Path) -> None:
    asked, settings = folder(tmp_path / "source"), ImportSettings(tmp_path / "out", GRID)
    stopped(asked, settings, 2)
    save(tmp_path / "source/a/0.jpg", photograph((20, 20), 9))
    with pytest.raises(DatasetError, match=r"unfinished import of other pictures \(a/1.jpg"):
        run_import(asked, settings)


def test_a_json_that_has_changed_does_not_go_on(tmp_path: Path) -> None:
    asked, settings = panoptic(tmp_path / "source"), ImportSettings(tmp_path / "out", GRID)
    stopped(asked, settings, 2)
    path = tmp_path / "source/annotations/panoptic_val2017.json"
    path.write_text(path.read_text() + " ")
    with pytest.raises(DatasetError, match=r"files that have changed"):
        run_import(asked, settings)


def test_two_imports_into_one_folder(tmp_path: Path) -> None:
    asked, settings = folder(tmp_path / "source"), ImportSettings(tmp_path / "out", GRID)

    def meanwhile(stage: str, done: int, total: int | None) -> None:
        with pytest.raises(DatasetError, match=r"Another process imports into"):
            run_import(asked, settings)

    run_import(asked, settings, meanwhile)


def test_stopped_before_the_first_picture_nothing_is_left(tmp_path: Path) -> None:
    asked, settings = panoptic(tmp_path / "source"), ImportSettings(tmp_path / "out", GRID)
    with pytest.raises(Cancelled, match=r"before the first picture"):
        run_import(asked, settings, cancelled=lambda: True)
    assert not (tmp_path / "out").exists()
    run_import(asked, ImportSettings(tmp_path / "out", (8, 8)))  # may be asked for otherwise


def test_killed_with_no_picture_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing tidies up behind a killed process; other options may follow."""
    asked = voc(tmp_path / "source")
    (tmp_path / "source/VOCdevkit/VOC2012/JPEGImages/2007_000000.jpg").write_bytes(b"no picture")
    monkeypatch.setattr(runner, "_AHEAD", 1)
    with monkeypatch.context() as patched:
        patched.setattr(ImportTarget, "give_up", lambda _: None)
        who = Stopped(1)
        with pytest.raises(Cancelled):
            run_import(asked, ImportSettings(tmp_path / "out", GRID), who.tell, who.asked)
    assert (tmp_path / "out" / WORK / "pictures.jsonl").stat().st_size
    run_import(asked, ImportSettings(tmp_path / "out", (8, 8)))
    run_import(asked, ImportSettings(tmp_path / "whole", (8, 8)))
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_labels_that_have_changed_do_not_go_on(tmp_path: Path) -> None:
    """The finished masks hold the numbers of the old ones, whatever the folder that they come from."""
    root, settings = tmp_path / "from", ImportSettings(tmp_path / "to", GRID)
    write_camvid(root)
    stopped(CamVid(str(root)), settings, 1)
    table = root / "label_colors.txt"
    table.write_text("1 2 3 Bridge\n" + table.read_text())
    with pytest.raises(DatasetError, match=r"labels that have changed since.*choose a new folder"):
        run_import(CamVid(str(root)), settings)


def test_whoever_comes_as_the_other_ends_finds_it_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer, settings = panoptic(tmp_path / "from"), ImportSettings(tmp_path / "to", GRID)
    first = run_import(importer, settings)
    (settings.into / WORK).mkdir()  # as long as the other has not ended
    looks = iter([None])  # and neither had it when somebody looked
    real = target._done
    monkeypatch.setattr(target, "_done", lambda *given: next(looks, real(*given)))
    again = run_import(importer, settings)
    assert again.again
    assert again.pictures == first.pictures
    assert not (settings.into / WORK).exists()
    assert list((settings.into / "images").rglob("*.png"))


@MAKERS
def test_what_is_not_at_its_end_is_no_data_set(tmp_path: Path, make: Callable[[Path], Importer]) -> None:
    """Its masks would pass for photographs."""
    importer, settings = make(tmp_path / "from"), ImportSettings(tmp_path / "to", GRID)
    stopped(importer, settings, 2)
    with pytest.raises(DatasetError, match=r"has not come to its end.*the same `import` command goes on"):
        open_dataset(settings.into)
    run_import(importer, settings)
    assert len(open_dataset(settings.into))
