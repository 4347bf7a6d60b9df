"""Differences of stored tensors against plain numpy over the same arrays."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli.checkpoints.comparison import compare
from audioloss_cli.checkpoints.stored import Checkpoint, StoredTensor

NUMPY = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I32": "<i4", "U8": "u1"}


def bf16(values):
    """Bits of the nearest bfloat16, as [n] uint16."""
    bits = np.asarray(values, "<f4").view("<u4").astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def stored(path, arrays, dtypes=None, step=None):
    """One file with these arrays one behind the other, as a checkpoint."""
    tensors, content = {}, b"\0" * 3
    for name, array in arrays.items():
        dtype = (dtypes or {}).get(name, "F32")
        raw = bf16(array) if dtype == "BF16" else np.asarray(array, NUMPY[dtype])
        tensors[name] = StoredTensor(name, dtype, np.shape(array), path, len(content))
        content += raw.tobytes()
    path.write_bytes(content)
    return Checkpoint(path, "file", tensors, [path], step=step)


def pair(tmp_path, ours, base, dtypes=None, base_dtypes=None):
    one = stored(tmp_path / "ours", ours, dtypes)
    return compare(one, stored(tmp_path / "base", base, base_dtypes or dtypes))


def test_norms_and_rows_are_those_of_numpy(tmp_path):
    generator = np.random.default_rng(0)
    base = generator.normal(size=(2000, 700)).astype("f4")  # 5 MB: several pieces, that end within rows
    ours = base.copy()
    changed = [0, 3, 749, 1000, 1999]
    ours[changed, [0, 699, 5, 1, 699]] += 0.5
    (change,) = pair(tmp_path, {"a": ours}, {"a": base}).changes.values()
    assert change.norm == pytest.approx(np.linalg.norm(ours.astype("f8") - base), rel=1e-9)
    assert change.base_norm == pytest.approx(np.linalg.norm(base.astype("f8")), rel=1e-9)
    assert not change.is_same
    assert change.same == 1995
    assert change.same_rows == tuple(row for row in range(120) if row not in changed)[:100]
    assert change.same_runs == ((1001, 1999), (4, 749), (750, 1000), (1, 3))


@given(
    st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=20),
    st.sampled_from(["F32", "F16", "F64", "I32", "U8", "BF16"]),
)
def test_rows_that_are_the_same_are_found_in_every_dtype(tmp_path_factory, where, dtype):
    differs = np.array(where)
    base = np.arange(differs.size).reshape(differs.shape) % 100
    (change,) = pair(tmp_path_factory.mktemp("c"), {"a": base + differs}, {"a": base}, {"a": dtype}).changes.values()
    rows = [row for row in range(len(differs)) if not differs[row].any()]
    assert change.is_same == (not differs.any())
    if not change.is_same:
        assert list(change.same_rows) == rows
        assert sorted(row for first, last in change.same_runs for row in range(first, last)) == rows
        assert change.norm == pytest.approx(np.sqrt(differs.sum()))


def test_nan_is_the_same_as_itself_and_no_zero_is_another_number(tmp_path):
    values = np.array([[np.nan, 0.0], [np.inf, -0.0]], "f4")
    (same,) = pair(tmp_path, {"a": values}, {"a": values}).changes.values()
    assert same.is_same
    (other,) = pair(tmp_path, {"a": values}, {"a": -values}).changes.values()
    assert not other.is_same


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=50))
def test_a_base_in_another_dtype_is_compared_by_value(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("c")
    for ours, base in (("BF16", "F32"), ("F32", "F64"), ("F64", "F32"), ("BF16", "F64")):
        (change,) = pair(path, {"a": values}, {"a": values}, {"a": ours}, {"a": base}).changes.values()
        assert change.is_same, (ours, base)
    (moved,) = pair(
        path, {"a": [value + 1 + abs(value) for value in values]}, {"a": values}, {"a": "BF16"}, {"a": "F32"}
    ).changes.values()
    assert not moved.is_same


def test_a_small_step_from_a_base_of_a_coarser_dtype_is_a_change(tmp_path):
    (change,) = pair(tmp_path, {"a": [1.0001, 1.0]}, {"a": [1.0, 1.0]}, {"a": "F32"}, {"a": "BF16"}).changes.values()
    assert not change.is_same


def test_names_of_wrappers_and_of_both_layouts_are_matched(tmp_path):
    pairs = {
        "module.model.layers.0.mlp.up_proj.weight": "layers.0.mlp.up_proj.weight",
        "base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight": "model.layers.0.self_attn.q_proj.weight",
        "base_model.model.audio_lm_head.modules_to_save.default.weight": "audio_decoder_proj.audio_lm_head.weight",
        "_orig_mod.model.embed_audio_tokens.embed_audio_tokens.weight": "audio_codebook_embeddings.weight",
    }
    found = pair(tmp_path, dict.fromkeys(pairs, np.ones(3)), dict.fromkeys(pairs.values(), np.ones(3)))
    assert list(found.changes) == list(pairs)
    assert not found.only_here
    assert not found.only_there


def test_of_a_module_that_is_saved_whole_the_trained_copy_counts(tmp_path):
    front = "base_model.model.audio_lm_head."
    ours = {f"{front}original_module.weight": np.ones(3), f"{front}modules_to_save.default.weight": np.zeros(3)}
    found = pair(tmp_path, ours, {"audio_lm_head.weight": np.ones(3)})
    assert {name: change.is_same for name, change in found.changes.items()} == {
        f"{front}modules_to_save.default.weight": False
    }


def test_what_only_one_has_what_has_another_shape_and_what_cannot_be_read_is_told(tmp_path):
    ours = stored(
        tmp_path / "ours", {"a": np.ones(3), "b": np.ones(3), "c": np.ones(3), "d": np.ones(3), "e": np.ones(3)}
    )
    base = stored(
        tmp_path / "base", {"a": np.ones(3), "b": np.ones(4), "x": np.ones(1), "d": np.ones(3), "e": np.ones(3)}
    )
    ours.tensors["d"] = StoredTensor("d", "F4", (3,), tmp_path / "ours", 0)
    base.tensors["e"] = StoredTensor("e", "F32", (3,), tmp_path / "base", 10**9)
    found = compare(ours, base)
    assert (found.only_here, found.only_there, found.reshaped) == (["c"], ["x"], ["b"])
    assert list(found.changes) == ["a"]
    assert found.unread["d"] == "the values of dtype F4 are not read"
    assert "cannot be read at byte" in found.unread["e"]
    json.dumps(found.unread)


@pytest.mark.parametrize(("ours", "base", "steps"), [(500, 200, 300), (500, None, 500), (None, 3, None), (5, 5, 0)])
def test_steps_between_the_two(tmp_path, ours, base, steps):
    found = compare(stored(tmp_path / "a", {}, step=ours), stored(tmp_path / "b", {}, step=base))
    assert found.steps == steps
    assert found.path == str(tmp_path / "b")


def test_strided_and_empty_tensors_are_compared_in_the_order_of_their_shape(tmp_path):
    base = np.arange(6).reshape(2, 3)
    ours = stored(tmp_path / "ours", {"a": base.T.copy(), "none": np.ones((0, 4))})
    ours.tensors["a"] = StoredTensor("a", "F32", (2, 3), tmp_path / "ours", 3, (1, 2))
    found = compare(ours, stored(tmp_path / "base", {"a": base, "none": np.ones((0, 4))}))
    assert [change.is_same for change in found.changes.values()] == [True, True]


def test_threads_find_the_same_and_progress_ends_at_all_bytes(tmp_path):
    generator = np.random.default_rng(0)
    base = {f"t{number}": generator.normal(size=(50, 40)) for number in range(20)}
    ours = {name: array + 0.1 * (number % 3) for number, (name, array) in enumerate(base.items())}
    one, other = stored(tmp_path / "ours", ours), stored(tmp_path / "base", base)
    told: list[tuple[int, int, str]] = []
    found = compare(one, other, jobs=4, progress=lambda *each: told.append(each))
    assert found.changes == compare(one, other).changes
    assert len(told) == 20
    assert told[-1][:2] == (20 * 50 * 40 * 4,) * 2
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
