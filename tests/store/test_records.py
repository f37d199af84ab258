"""Records: one representation in bytes, checked against the safetensors library."""

import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from interpret_core.store.records import DTYPES, METADATA_ENTRY, Record, canonical_json

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.just("caf\udce9"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
arrays = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__"),
    hnp.arrays(st.sampled_from(list(DTYPES.values())), hnp.array_shapes(min_dims=0, min_side=0, max_side=4)),
    max_size=4,
)


@settings(deadline=None)
@given(arrays, json_values)
def test_a_record_survives_its_bytes(arrays, metadata):
    record = Record(arrays, metadata)
    again = Record.from_bytes(record.to_bytes())
    assert again.metadata == record.metadata
    assert list(again.arrays) == sorted(arrays)
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        assert again[name].shape == array.shape
        assert again[name].tobytes() == array.tobytes()
        assert not again[name].flags.writeable
    assert again.to_bytes() == record.to_bytes()


@settings(deadline=None)
@given(arrays, json_values)
def test_the_library_reads_the_same_arrays(arrays, metadata):
    record = Record(arrays, metadata)
    library = safetensors.numpy.load(record.to_bytes())
    assert sorted(library) == list(record.arrays)
    for name, array in library.items():
        assert array.dtype == record[name].dtype
        assert array.tobytes() == record[name].tobytes()


@settings(deadline=None)
@given(arrays, json_values)
def test_the_library_writes_the_same_bytes(arrays, metadata):
    """Records that safetensors wrote keep their digests: what is stored stays valid."""
    record = Record(arrays, metadata)
    told = {METADATA_ENTRY: canonical_json(record.metadata)}
    assert record.to_bytes() == safetensors.numpy.save(dict(record.arrays), metadata=told)


def test_arrays_of_all_dtypes_lie_in_the_librarys_order():
    values = {f"{'ab'[i]}{name}\n\x1fé": np.ones(3, dtype) for i in (0, 1) for name, dtype in DTYPES.items()}
    record = Record({**values, "longlong": np.ones(2, np.longlong)})
    assert record.to_bytes() == safetensors.numpy.save(dict(record.arrays), metadata={METADATA_ENTRY: "null"})


def test_an_array_cannot_be_called_as_the_metadata_are():
    with pytest.raises(TypeError, match="__metadata__"):
        Record({"__metadata__": np.ones(2)})


def test_order_of_names_does_not_matter():
    one, two = np.arange(3), np.ones((2, 2), np.float32)
    first = Record({"a": one, "b": two}, {"x": 1, "y": [1, 2]})
    second = Record({"b": two, "a": one}, {"y": (1, 2), "x": 1})
    assert first.to_bytes() == second.to_bytes()
    assert first.digest() == second.digest()
    assert first.digest() != Record({"a": one, "b": two}, {"x": 2, "y": [1, 2]}).digest()


def test_digest_is_the_same_in_every_process():
    code = (
        "import numpy as np; from interpret_core.store import Record;"
        "print(Record({str(i): np.arange(i) for i in range(9)}, {str(i): i for i in range(9)}).digest())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    own = Record({str(i): np.arange(i) for i in range(9)}, {str(i): i for i in range(9)}).digest()
    assert runs == {f"{own}\n".encode()}


def test_views_and_foreign_byte_orders_keep_their_values():
    grid = np.arange(12, dtype=np.int32).reshape(3, 4)
    record = Record(
        {"turned": grid.T, "strided": grid[:, ::2], "big": grid.astype(">i4"), "number": np.float32(2.5)}
    )
    again = Record.from_bytes(record.to_bytes())
    assert np.array_equal(again["turned"], grid.T)
    assert np.array_equal(again["strided"], grid[:, ::2])
    assert np.array_equal(again["big"], grid)
    assert again["number"].shape == ()
    assert again["number"] == 2.5


def test_arrays_are_read_only_and_the_callers_stays_writable():
    array = np.zeros(3)
    record = Record({"a": array})
    with pytest.raises(ValueError, match="read-only"):
        record["a"][0] = 1
    array[0] = 1  # the caller's own view is not frozen


def test_metadata_looks_the_same_fresh_and_from_disk():
    record = Record({}, {"pair": (1, 2), "numbers": {3: "three", 10: "ten"}})
    assert record.metadata == {"pair": [1, 2], "numbers": {"3": "three", "10": "ten"}}
    assert Record.from_bytes(record.to_bytes()).to_bytes() == record.to_bytes()


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([object()]), np.zeros(2, complex), [1, 2]])
def test_other_dtypes_are_refused_by_name(array):
    with pytest.raises(TypeError, match="'bad'"):
        Record({"bad": array})


@pytest.mark.parametrize("metadata", [float("nan"), {"deep": [float("inf")]}])
def test_metadata_without_a_json_spelling_is_refused(metadata):
    with pytest.raises(ValueError, match="JSON"):
        Record({}, metadata)


@pytest.mark.parametrize(
    "data", [b"", b"short", b"\xff" * 40, b"\2" + b"\0" * 7 + b"{}", b"\2" + b"\0" * 7 + b"[]"]
)
def test_other_bytes_are_no_record(data):
    with pytest.raises(ValueError, match=r"not a record|JSON|delimiter"):
        Record.from_bytes(data)


@pytest.mark.parametrize("offsets", [[0, 9], [-8, 0], [8, 0], [0, 1 << 60]])
def test_a_tensor_outside_the_file_is_no_record(offsets):
    header = canonical_json(
        {"__metadata__": {"unitscope": "1"}, "a": {"dtype": "U8", "shape": [8], "data_offsets": offsets}}
    ).encode()
    with pytest.raises(ValueError, match="cannot hold"):
        Record.from_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
