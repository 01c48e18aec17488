"""Data as scripts: whatever is said comes back, and never as code."""

from __future__ import annotations

import ast
import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report.data_files import pack_transcript, write_receive

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def received(file):
    """Read a data file as a script engine would: its strings have only escapes of Python's too."""
    script = file.read_bytes().decode("ascii")
    assert script.startswith("commonweal.receive(")
    name, _, text = script.removeprefix("commonweal.receive(").partition(", JSON.parse(")
    assert text.endswith("));\n")
    return json.loads(name), json.loads(ast.literal_eval(text.removesuffix("));\n")))


@given(value=_VALUES)
def test_what_is_written_is_what_is_received(tmp_path_factory, value):
    file = tmp_path_factory.mktemp("data") / "run.js"
    write_receive(file, "run", value)
    assert received(file) == ("run", value)


@given(text=st.text(st.sampled_from("<'\"\\\u2028\u2029\r\n/script>!-\ud800\x00")))
def test_no_text_ends_a_script_a_string_or_a_line(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("data") / "run.js"
    write_receive(file, "run", [text])
    script = file.read_text(encoding="ascii")
    assert "<" not in script
    assert script.splitlines(keepends=True) == [script]
    assert received(file)[1] == [text]


def test_the_folder_of_a_pack_is_made(tmp_path):
    write_receive(tmp_path / "data" / "transcripts" / "00000.js", "transcripts/00000", [])
    assert received(tmp_path / "data" / "transcripts" / "00000.js") == ("transcripts/00000", [])


def test_a_number_that_json_does_not_know_is_refused_and_nothing_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_receive(tmp_path / "run.js", "run", {"welfare": float("nan")})
    assert not list(tmp_path.iterdir())


@given(value=_VALUES)
def test_a_packed_transcript_is_the_same_whenever_it_is_packed(value):
    packed = pack_transcript(value)
    data = base64.b64decode(packed)
    assert packed == pack_transcript(value)
    assert data[4:8] == bytes(4)  # no time of writing
    assert json.loads(gzip.decompress(data)) == value
