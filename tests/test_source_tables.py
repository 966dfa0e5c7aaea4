"""Arrow files and streams."""

import pyarrow as pa
import pytest
from reading import refused, rows_of

from instruction_kit import Files
from instruction_kit.source import raw
from instruction_kit.source.raw import INDEX, Where

TABLE = pa.table({"text": list("abcde"), "label": [0, 1, 2, 3, 4]})


def write(path, *, stream):
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(path, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=2)
    return path


@pytest.mark.parametrize("stream", [True, False])
def test_an_arrow_file_or_stream_is_read_batch_by_batch(stream, tmp_path, monkeypatch):
    write(tmp_path / "a.arrow", stream=stream)
    source = Files({"train": "a.arrow"})
    assert rows_of(source, tmp_path) == (TABLE.to_pylist(), [])
    assert rows_of(source, tmp_path, wanted=frozenset({"label"}))[0] == [{"label": number} for number in range(5)]
    monkeypatch.setattr(raw, "BATCH_ROWS", 1)
    (part,) = source.ranges("train", Where(tmp_path))
    indices = [batch.frame[INDEX].to_list() for batch in source.read(part, Where(tmp_path), frozenset())]
    assert indices == [[0], [1], [2], [3], [4]]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("keep", [0, 5, 100, -30])
def test_a_damaged_arrow_file_is_refused_by_name(keep, stream, tmp_path):
    path = write(tmp_path / "a.arrow", stream=stream)
    path.write_bytes(path.read_bytes()[:keep])
    said = refused(Files({"train": "a.arrow"}), tmp_path)
    assert said.startswith(f"{path}: not a whole Arrow file or stream (")
