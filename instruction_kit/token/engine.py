"""What turns texts into ids: the tokenizer's own call, or a faster way to the same ids.

In go a tokenizer and whether the text of a special token stays text, out come engines, the fastest first and the
tokenizer itself last. A faster one is believed only as far as it is checked: against the tokenizer's own ids on planted
texts at the start, on the first texts that it encodes, and on one in `CHECKED_ONE_IN` after these, to the last row.
Where one id differs, the caller begins again with the next engine (`UnequalError`). Nothing is cut, filled or added
here.
"""

import importlib.util
import json
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Encode = Callable[[list[str]], pa.ListArray]

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

    def encode(self, texts: list[str]) -> pa.ListArray:
        """Encode texts, each as if it were alone.

        Raises:
            UnequalError: one of them is not what the tokenizer itself gives.

        """
        found = self._encode(texts)
        if self._own is not None:
            numbers = np.arange(self._seen, self._seen + len(texts))
            self._check(texts, found, np.flatnonzero((numbers < CHECKED_FIRST) | (numbers % CHECKED_ONE_IN == 0)))
        self._seen += len(texts)
        return found

    def check(self, texts: list[str]) -> None:
        """Compare all of some texts with the tokenizer itself.

        Raises:
            UnequalError: one of them differs.

        """
        self._check(texts, self._encode(texts), np.arange(len(texts)))

    def _check(self, texts: list[str], found: pa.ListArray, places: "np.typing.NDArray[np.int64]") -> None:
        if self._own is None or not len(places):
            return
        chosen = [texts[place] for place in places]
        own, mine = self._own(chosen).to_pylist(), found.take(pa.array(places)).to_pylist()
        for text, first, second in zip(chosen, own, mine, strict=True):
            if first != second:
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
    planted = [*PLANTED, *tokens, *(f"x{token}y {token} z" for token in tokens)]
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

    def encode(texts: list[str]) -> pa.ListArray:
        if not texts:
            return pa.array([], IDS)
        found = tokenizer(texts, split_special_tokens=as_text, verbose=False, **keywords)["input_ids"]
        return pa.array(found, IDS)

    return encode


def _tokenizers(rules: str, as_text: bool) -> Encode:  # noqa: FBT001 - called from a table
    from tokenizers import Tokenizer

    backend = Tokenizer.from_str(rules)
    backend.no_padding()
    backend.no_truncation()
    backend.encode_special_tokens = as_text

    def encode(texts: list[str]) -> pa.ListArray:
        return pa.array([one.ids for one in backend.encode_batch_fast(texts, add_special_tokens=False)], IDS)

    return encode


def _gigatoken(rules: str, as_text: bool) -> Encode | None:  # noqa: FBT001 - called from a table
    """Make the fast engine; None where it is not installed or does not know this kind of tokenizer."""
    if importlib.util.find_spec("gigatoken") is None:
        return None
    import gigatoken

    content = json.loads(rules)
    if as_text:  # what it does not know as a token, it reads as text
        content["added_tokens"] = [token for token in content["added_tokens"] if not token["special"]]
    try:
        loaded = gigatoken.Tokenizer.from_json(json.dumps(content))
    except (ValueError, TypeError, KeyError, RuntimeError, NotImplementedError):
        return None

    def encode(texts: list[str]) -> pa.ListArray:
        if not texts:
            return pa.array([], IDS)
        layout = loaded.encode_batch(texts).layout
        offsets, values = np.asarray(layout.offsets.data), np.asarray(layout.content.data, dtype=np.uint32)
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values.view(np.int32), pa.int32()))

    return encode


MAKERS: dict[str, Callable[[str, bool], Encode | None]] = {"gigatoken": _gigatoken, "tokenizers": _tokenizers}
