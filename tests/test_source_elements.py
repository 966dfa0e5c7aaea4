"""XML: an element a row, columns by path, and what makes XML unsafe refused."""

from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import refused, rows_of

from instruction_kit import Files
from instruction_kit.source import elements

QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")).map(
    lambda text: "".join(char for char in text if char not in "\x7f\x85\u2028")
)

ENTRIES = """<?xml version="1.0"?>
<!DOCTYPE book SYSTEM "book.dtd">
<book><title>Not a row</title>
  <entry id="1" kind="a"><triples><t>x | y</t><t>z | w</t></triples>
    <lex lid="L1">One &amp; <b>two</b>.</lex><lex>Three.</lex><empty/></entry>
  <part><entry id="2"><lex lid="L2">Four.</lex><entry id="3"/></entry></part>
</book>"""


def source(**options):
    return Files({"train": "a.xml"}, **{"records": "entry", **options})


def written(folder, text):
    (folder / "a.xml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_each_outermost_element_is_a_row_with_a_column_for_each_path(tmp_path):
    wanted = frozenset({"@id", "@kind", "triples/t[]", "triples/t", "lex", "lex[]", "lex/b", "lex/@lid[]", "empty"})
    rows, problems = rows_of(source(), written(tmp_path, ENTRIES), wanted=wanted)
    assert problems == []
    assert rows == [
        {
            "@id": "1",
            "@kind": "a",
            "triples/t": "x | y\nz | w",
            "triples/t[]": ["x | y", "z | w"],
            "lex": "One & two.\nThree.",
            "lex[]": ["One & two.", "Three."],
            "lex/b": "two",
            "lex/@lid[]": ["L1"],
            "empty": "",
        },
        {
            "@id": "2",
            "@kind": None,
            "triples/t": None,
            "triples/t[]": None,
            "lex": "Four.",
            "lex[]": ["Four."],
            "lex/b": None,
            "lex/@lid[]": ["L2"],
            "empty": None,
        },
    ]


def test_the_element_itself_can_be_parsed_on(tmp_path):
    rows, _ = rows_of(source(records="lex"), written(tmp_path, ENTRIES), wanted=frozenset({"xml", "text()"}))
    assert rows[0] == {"text()": "One & two.", "xml": '<lex lid="L1">One &amp; <b>two</b>.</lex>'}


@QUICK
@given(texts=st.lists(st.tuples(TEXT, TEXT), min_size=1))
@pytest.mark.parametrize("chunk", [1, 7, 2**16])
def test_texts_and_attributes_read_back_as_written(chunk, texts, tmp_path):
    rows = "".join(f"<r a={quoteattr(a)}><t>{escape(t)}</t></r>" for a, t in texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elements, "_CHUNK_BYTES", chunk)
        found = rows_of(source(records="r"), written(tmp_path, f"<d>{rows}</d>"), wanted=frozenset({"@a", "t"}))
    assert found == ([{"@a": a, "t": t} for a, t in texts], [])


def test_an_encoding_that_the_document_states_is_its_own(tmp_path):
    data = '<?xml version="1.0" encoding="windows-1252"?><d><r>café</r></d>'.encode("cp1252")
    assert rows_of(source(records="r"), written(tmp_path, data), wanted=frozenset({"text()"}))[0] == [
        {"text()": "café"}
    ]


BOMB = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n<d><entry>&b;</entry></d>'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "a.xml:1: the entity a is declared or used; entities are refused, write the text itself"),
        (
            '<!DOCTYPE d [\n<!ENTITY a SYSTEM "file:///etc/passwd">]><d><entry>&a;</entry></d>',
            "a.xml:2: the entity a is declared or used; entities are refused, write the text itself",
        ),
        (
            '<!DOCTYPE d [\n<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]><d><entry/></d>',
            "a.xml:2: the entity p is declared or used; entities are refused, write the text itself",
        ),
        (
            '<!DOCTYPE d SYSTEM "d.dtd">\n<d><entry>&nbsp;</entry></d>',
            "a.xml:2: the entity nbsp is declared or used; entities are refused, write the text itself",
        ),
        ("<d>\n<entry>&nbsp;</entry></d>", "a.xml:2: not XML (undefined entity)"),
        ("<d>\n<entry>", "a.xml:2: not XML (no element found)"),
        ("", "a.xml:1: not XML (no element found)"),
        (b"<d>\n<entry>caf\xe9</entry></d>", "a.xml:2: not XML (not well-formed (invalid token))"),
        ("<d>\n" + "<x>" * 200, "a.xml:2: elements nested more than 100 deep"),
        ("<d><entri/></d>", "a.xml: no element entry; did you mean entri?"),
    ],
)
def test_what_is_no_xml_or_not_safe_is_refused_with_its_line(text, words, tmp_path):
    assert refused(source(), written(tmp_path, text)) == f"{tmp_path}/{words}"


def test_an_element_beyond_all_measure_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(elements, "MAX_ELEMENT_CHARS", 10)
    words = f"{tmp_path}/a.xml:1: an element entry of more than 10 characters"
    assert refused(source(), written(tmp_path, f"<d><entry>{'x' * 11}</entry></d>")) == words
