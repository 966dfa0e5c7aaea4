"""What turns texts into ids: the tokenizer's own call, or a faster way to the same ids.

In go a tokenizer and whether the text of a special token stays text, out come engines, the fastest first and the
tokenizer itself last. A faster one is believed only as far as it is checked: against the tokenizer's own ids on planted
texts at the start, on the first texts that it encodes, and on one in `CHECKED_ONE_IN` after these, to the last row.
Where one id differs, the caller begins again with the next engine (`UnequalError`). Texts come and ids go as Arrow
columns. Nothing is shortened, filled or added here.
"""

import importlib.util
import json
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from instruction_kit.token.word import by_words, may_cut

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Encode = Callable[[pa.StringArray], pa.ListArray]

IDS = pa.list_(pa.int32())
NAMES = ("gigatoken", "tokenizers")
"""Engines that are checked, the fastest first."""
CHECKED_FIRST = 512
CHECKED_ONE_IN = 256
PLANTED = (
    "",
    " ",
    "\n\n",
    "a  b\t\tc ",
    "don't I'LL 12345 3.14",
    "cafe\u0301 \u00e9 🙂🏽 中文 اللون \u200b\u00a0x",
    "\u2581a\ufffd",
)
"""Texts on which engines are known to differ."""


class UnequalError(Exception):
    """An engine gave other ids than the tokenizer itself; says for which text."""


class Engine:
    """A way to the ids of texts.

    Attributes:
        name: of the package that does it.
        checked: how many texts were compared with the tokenizer's own ids.

    """

    def __init__(self, name: str, encode: Encode, *, own: Encode | None = None) -> None:
        self.name = name
        self.checked = 0
        self._encode = encode
        self._own = own
        self._seen = 0

    @property
    def version(self) -> str:
        """The installed release."""
        return version(self.name)

    def encode(self, texts: pa.StringArray) -> pa.ListArray:
        """Encode texts, each as if it were alone.

        Raises:
            UnequalError: one of them is not what the tokenizer itself gives.

        """
        texts = texts.cast(pa.string())  # engines read its buffers, and other writers' columns may be large ones
        found = self._encode(texts)
        if self._own is not None:
            numbers = np.arange(self._seen, self._seen + len(texts))
            self._check(texts, found, np.flatnonzero((numbers < CHECKED_FIRST) | (numbers % CHECKED_ONE_IN == 0)))
        self._seen += len(texts)
        return found

    def check(self, texts: pa.StringArray) -> None:
        """Compare all of some texts with the tokenizer itself.

        Raises:
            UnequalError: one of them differs.

        """
        self._check(texts, self._encode(texts), np.arange(len(texts)))

    def _check(self, texts: pa.StringArray, found: pa.ListArray, places: "np.typing.NDArray[np.int64]") -> None:
        if self._own is None or not len(places):
            return
        chosen = texts.take(pa.array(places))
        own, mine = self._own(chosen), found.take(pa.array(places))
        if not mine.equals(own):
            differs = next(place for place in range(len(own)) if own[place] != mine[place])
            text = chosen[differs].as_py()
            raise UnequalError(f"{self.name} gives other ids than the tokenizer itself for {text[:80]!r}")
        self.checked += len(places)


def own_engine(tokenizer: "PreTrainedTokenizerBase", *, as_text: bool) -> Engine:
    """Make the engine that is the tokenizer's own call; `as_text` leaves a special token's text text."""
    return Engine("transformers", _own(tokenizer, as_text=as_text))


def engines(tokenizer: "PreTrainedTokenizerBase", *, as_text: bool, names: Sequence[str] = NAMES) -> Iterator[Engine]:
    """Make each engine that takes this tokenizer and passes its planted texts; the last one is the tokenizer's own."""
    own = _own(tokenizer, as_text=as_text)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    tokens = [str(token) for token in tokenizer.get_added_vocab()]
    planted = pa.array([*PLANTED, *tokens, *(f"x{token}y {token} z" for token in tokens)], pa.string())
    rules = "" if backend is None else str(backend.to_str())
    for name in names if rules else ():  # each is made where the one before it is left
        encode = MAKERS[name](rules, as_text)
        if encode is None:
            continue
        engine = Engine(name, encode, own=own)
        try:
            engine.check(planted)
        except UnequalError:
            continue
        yield engine
    yield own_engine(tokenizer, as_text=as_text)


def _own(tokenizer: "PreTrainedTokenizerBase", *, as_text: bool) -> Encode:
    keywords = {"add_special_tokens": False, "return_attention_mask": False, "return_token_type_ids": False}

    def encode(texts: pa.StringArray) -> pa.ListArray:
        if not len(texts):
            return pa.array([], IDS)
        found = tokenizer(texts.to_pylist(), split_special_tokens=as_text, verbose=False, **keywords)["input_ids"]
        return pa.array(found, IDS)

    return encode


def _tokenizers(rules: str, as_text: bool) -> Encode:  # noqa: FBT001 - called from a table
    """Make the engine that encodes each word of many texts once, where that changes no id."""
    from tokenizers import Tokenizer

    backend = Tokenizer.from_str(rules)
    backend.no_padding()
    backend.no_truncation()
    backend.encode_special_tokens = as_text

    def encode(texts: pa.StringArray) -> pa.ListArray:
        found = backend.encode_batch_fast(texts.to_pylist(), add_special_tokens=False)
        return pa.array([one.ids for one in found], IDS)

    return by_words(encode) if may_cut(_head(rules), as_text=as_text) else encode


def _gigatoken(rules: str, as_text: bool) -> Encode | None:  # noqa: FBT001 - called from a table
    """Make the fast engine; None where it is not installed or does not know this kind of tokenizer."""
    if importlib.util.find_spec("gigatoken") is None:
        return None
    import gigatoken

    try:
        loaded = gigatoken.Tokenizer.from_json(_without_special(rules) if as_text else rules)
    except (ValueError, TypeError, KeyError, RuntimeError, NotImplementedError):  # its words for rules it cannot read
        return None

    def encode(texts: pa.StringArray) -> pa.ListArray:
        if not len(texts):
            return pa.array([], IDS)
        layout = loaded.encode_batch(_awkward(texts)).layout
        offsets, values = np.asarray(layout.offsets.data), np.asarray(layout.content.data, dtype=np.uint32)
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values.view(np.int32), pa.int32()))

    return encode


def _awkward(texts: pa.StringArray) -> Any:
    """Give a column to the fast engine as it lies in memory."""
    from awkward import Array
    from awkward.contents import ListOffsetArray, NumpyArray
    from awkward.index import Index64

    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset :][: len(texts) + 1]
    held = np.frombuffer(texts.buffers()[2] or b"\0", dtype=np.uint8)
    characters = NumpyArray(held, parameters={"__array__": "char"})
    return Array(ListOffsetArray(Index64(offsets.astype(np.int64)), characters, parameters={"__array__": "string"}))


def _without_special(rules: str) -> str:
    """Leave out special tokens: what an engine does not know as a token, it reads as text."""
    before, name, behind = rules.partition('"added_tokens":')
    tokens, end = json.JSONDecoder().raw_decode(behind)
    return before + name + json.dumps([token for token in tokens if not token["special"]]) + behind[end:]


def _head(rules: str) -> dict[str, Any]:
    """Read the rules of a tokenizer up to its vocabulary, which is most of them."""
    found: dict[str, Any] = json.loads(rules.partition(',"vocab":')[0] + "}}")
    return found


MAKERS: dict[str, Callable[[str, bool], Encode | None]] = {"gigatoken": _gigatoken, "tokenizers": _tokenizers}
