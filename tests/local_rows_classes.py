"""The rows of tasks of the example that put a text into one of a few classes, or under one of a few headings."""

import json
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


def movie_reviews(path: Path, file: str) -> Iterator[Expected]:
    review = path.read_bytes().translate(bytes.maketrans(b"\x12\x13\x14", b'\'""')).decode("ascii").strip()
    yield Expected(file, (review[:150],), ({"neg": MOODS[0], "pos": MOODS[1]}[path.parent.name],))


def blimp(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        pair = (row["sentence_good"], row["sentence_bad"])
        options = pair[:: -1 if int(row["pairID"]) % 2 else 1]
        yield Expected(f"{file}:{index}", options, (row["sentence_good"],), options)


def clinc150(part: str) -> Rows:
    def rows(path: Path, file: str) -> Iterator[Expected]:
        said = json.loads(path.read_bytes())[part]
        intents = sorted({intent for _, intent in said})
        for index, (utterance, intent) in enumerate(said):
            own = intents.index(intent)
            steps = [(1 + index % 18) * (place - index % 8) for place in range(8)]
            offered = sorted(intents[(own + step) % 150] for step in steps)
            options = tuple(option.replace("_", " ") for option in offered)
            yield Expected(f"{file}:{index}", (utterance,), (intent.replace("_", " "),), options)

    return each(rows)


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
    "movie_reviews_local": Dataset(each(movie_reviews), classes=MOODS),
    "blimp_local": Dataset(each(blimp)),
    "clinc150_local": Dataset(
        {"train": clinc150("train"), "validation": clinc150("val"), "test": clinc150("test")},
        left_out={"clinc150/domains.json": "names of ten domains, not rows"},
    ),
}
