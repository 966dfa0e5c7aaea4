"""One batch as a person reads it: the text of each pair, what is trained in colour.

In go the batch that the first step would take, and where its pairs come from; out come lines for a terminal. Special
tokens are shown, so that nothing in a row is hidden, and the filling behind a pair as one token and how often it stands
there; where there is no colour, marks stand around what is trained.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from rich.text import Text

from instruction_kit.token.encoder import Encoder
from instruction_kit.token.row import IGNORED
from instruction_kit.training.document import Document, documents

TRAINED, READ, FILLING = "bold green", "dim", "red"
MARKS = ("⟦", "⟧")


def batch_lines(
    batch: Mapping[str, torch.Tensor], rows: Sequence[Mapping[str, Any]], encoder: Encoder, *, colour: bool
) -> Iterator[Text]:
    """Show each pair of a batch; `rows` are the token rows that it was made of."""
    places = [(row, place) for row in rows for place in range(len(row["task_ids"]))]
    found = documents(batch)
    trained = sum(label != IGNORED for one in found for label in one.labels)
    yield Text(
        f"{len(rows)} rows, {len(places)} pairs, {sum(len(one.ids) for one in found):,} tokens, {trained:,} trained"
    )
    for (row, place), document in zip(places, found, strict=False):
        yield _head(row, place, document)
        yield _body(document, encoder, marks=("", "") if colour else MARKS)


def _head(row: Mapping[str, Any], place: int, document: Document) -> Text:
    task, split, number, template = (row[name][place] for name in ("m_task", "m_split", "m_row", "m_template"))
    trained = sum(label != IGNORED for label in document.labels)
    told = f"\n{task} {split} row {number}, template {template}: {sum(document.mask)} tokens, {trained} trained"
    return Text(told, style="bold")


def _body(document: Document, encoder: Encoder, *, marks: tuple[str, str]) -> Text:
    """Decode runs of tokens of one kind."""
    text = Text()
    kinds = [
        FILLING if not there else (READ if label == IGNORED else TRAINED)
        for label, there in zip(document.labels, document.mask, strict=True)
    ]
    start = 0
    for place in range(1, len(kinds) + 1):
        if place == len(kinds) or kinds[place] != kinds[start]:
            before, after = marks if kinds[start] == TRAINED else ("", "")
            shown, times = (start + 1, f" x {place - start}") if kinds[start] == FILLING else (place, "")
            decoded = str(encoder.tokenizer.decode(document.ids[start:shown]))
            text.append(before + decoded + after + times, style=kinds[start])
            start = place
    return text
