"""The rows of tasks of the example that put a text into one of a few classes."""

import re
from collections.abc import Iterator
from pathlib import Path

from local_rows import Dataset, Expected, Rows, byte_lines, each, json_rows, quoted_rows

MOODS = ("negative", "positive")
SCALE = ("very negative", "negative", "neutral", "positive", "very positive")
STANCE = ("subjective", "objective")
TOPICS = ("world", "sports", "business", "science and technology")
SENSES = {True: "yes", False: "no"}
CHARACTERS = {36: "$", 38: "&", 39: "'", 145: "‘", 146: "’", 147: "“", 148: "”", 151: "—", 8212: "—"}  # noqa: RUF001 - quotes


def labelled_lines(classes: tuple[str, ...], *, encoding: str) -> Rows:
    """A label by its number, a blank, a text; where there is no text, there is no example."""

    def rows(path: Path, file: str) -> Iterator[Expected]:
        for index, line in enumerate(byte_lines(path)):
            label, sentence = line.decode(encoding).split(" ", 1)
            name, shown = f"{file}:{index}", sentence.strip()
            good = Expected(name, (shown,), (classes[int(label)],))
            yield good if shown else Expected(name, fate="text: blank")

    return each(rows)


def ag_news(path: Path, file: str) -> Iterator[Expected]:
    for index, (label, title, description) in enumerate(quoted_rows(path, delimiter=",")):
        item = re.sub(r" #(\d+);", lambda code: CHARACTERS[int(code[1])], f"{title}\n{description}")
        item = item.replace("&lt;", "<").replace("&gt;", ">").replace("\\$", "$")
        item = re.sub(r"<(p|br)( .*?|/)?>|\\+", " ", item, flags=re.IGNORECASE)
        yield Expected(f"{file}:{index}", (re.sub(r"<.*?>", "", item).strip(),), (TOPICS[int(label) - 1],))


def wic(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        texts = (row["word"], row["sentence1"], row["sentence2"])
        yield Expected(f"{file}:{index}", texts, (SENSES[row["label"]],))


BINARY = "the sentences of the fine files without the neutral ones"

DATASETS = {
    "sst_local": Dataset(
        labelled_lines(SCALE, encoding="utf-8"),
        classes=SCALE,
        left_out={f"sst/stsa.binary.{split}": BINARY for split in ("train", "dev", "test")},
    ),
    "customer_reviews_local": Dataset(labelled_lines(MOODS, encoding="ascii"), classes=MOODS),
    "subj_local": Dataset(labelled_lines(STANCE, encoding="cp1252"), classes=STANCE),
    "ag_news_local": Dataset(
        each(ag_news),
        classes=TOPICS,
        left_out=dict.fromkeys(("ag_news/classes.txt", "ag_news/readme.txt"), "about the rows, not rows"),
        measured="test",
    ),
    "wic_local": Dataset(each(wic), classes=("yes", "no")),
}
