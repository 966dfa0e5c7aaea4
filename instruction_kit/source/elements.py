"""XML: each element of one name is a row.

In: a file and the name of an element. Out: rows whose columns are paths below that element: `Question` is the text of
it, `Question[]` the list where it repeats, `@ID` an attribute, `lex/@comment[]` the attributes of elements below; `xml`
is the element as text. So a column's type follows from its name, never from the data. The file is read as a stream.
Documents that declare entities are refused, and nothing outside the document is ever fetched.
"""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

from instruction_kit.errors import SourceError, nearest
from instruction_kit.source.file import File
from instruction_kit.source.row import Row

MAX_DEPTH = 100
MAX_ELEMENT_CHARS = 2**26
_CHUNK_BYTES = 2**16


def element_rows(file: File, *, records: str, columns: frozenset[str] | None) -> Iterator[Row]:
    """Each outermost element of this name.

    Raises:
        SourceError: the file is no XML, declares entities, or has no such element.

    """
    parser = _Parser(file, records)
    number = 0
    with file.opened() as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            for element in parser.feed(chunk):
                yield Row(number, _columns(element, columns))
                number += 1
        for element in parser.feed(b"", last=True):
            yield Row(number, _columns(element, columns))
            number += 1
    if not number:
        raise SourceError(f"{file}: no element {records}; {nearest(records, parser.names)}")


class _Parser:
    """Expat with a tree for one wanted element at a time."""

    def __init__(self, file: File, wanted: str) -> None:
        self._file, self._wanted = file, wanted
        self.names: set[str] = set()
        self._tree: ET.TreeBuilder | None = None
        self._depth = self._inside = self._chars = 0
        self._done: list[ET.Element] = []
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._data
        self._expat.EntityDeclHandler = self._refuse_entity
        self._expat.SkippedEntityHandler = self._refuse_entity

    def feed(self, chunk: bytes, *, last: bool = False) -> list[ET.Element]:
        try:
            self._expat.Parse(chunk, last)
        except expat.ExpatError as error:
            raise self._refused(f"not XML ({expat.ErrorString(error.code)})") from error
        done, self._done = self._done, []
        return done

    def _refused(self, why: str) -> SourceError:
        return SourceError(f"{self._file}:{self._expat.CurrentLineNumber}: {why}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.names.add(name)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refused(f"elements nested more than {MAX_DEPTH} deep")
        if self._tree is None and name == self._wanted:
            self._tree, self._chars = ET.TreeBuilder(), 0
        if self._tree is not None:
            self._inside += 1
            self._tree.start(name, attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._tree is not None:
            self._inside -= 1
            element = self._tree.end(name)
            if not self._inside:
                self._done.append(element)
                self._tree = None

    def _data(self, text: str) -> None:
        if self._tree is not None:
            self._chars += len(text)
            if self._chars > MAX_ELEMENT_CHARS:
                raise self._refused(f"an element {self._wanted} of more than {MAX_ELEMENT_CHARS} characters")
            self._tree.data(text)

    def _refuse_entity(self, name: str, *_: Any) -> None:
        raise self._refused(f"the entity {name} is declared or used; entities are refused, write the text itself")


def _columns(element: ET.Element, columns: frozenset[str] | None) -> dict[str, Any]:
    """Only what is wanted: a large element has many paths."""
    lists: dict[str, list[str]] = {}
    _walk(element, "", lists)
    plain: dict[str, Any] = {}
    for path, texts in lists.items():
        plain[path] = "\n".join(texts)
        if path[1:] not in element.attrib:
            plain[f"{path}[]"] = texts
    if columns is None or "xml" in columns:
        plain["xml"] = ET.tostring(element, encoding="unicode")
    return plain


def _walk(element: ET.Element, path: str, lists: dict[str, list[str]]) -> None:
    prefix = f"{path}/" if path else ""
    for name, value in element.attrib.items():
        lists.setdefault(f"{prefix}@{name}", []).append(value)
    own = [element.text or "", *(child.tail or "" for child in element)]
    if len(element) == 0 or any(text.strip() for text in own):
        lists.setdefault(path or "text()", []).append("".join(element.itertext()))
    for child in element:
        _walk(child, f"{prefix}{child.tag}", lists)
