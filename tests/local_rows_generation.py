"""Texts that are written: translations, texts about data, summaries, replies, rewritten sentences, tagged pieces."""

import csv
import gzip
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from local_rows import Dataset, Expected, each, json_rows, tab_rows

NO_TEXTS = "has inputs alone"
LANGUAGES = ("German", "French")
TATOEBA = {
    "deu": "German",
    "fra": "French",
    "spa": "Spanish",
    "rus": "Russian",
    "cmn": "Mandarin Chinese",
    "jpn": "Japanese",
    "ara": "Arabic",
    "hin": "Hindi",
    "tha": "Thai",
    "swh": "Swahili",
}
KINDS = {"corporation", "creative-work", "group", "location", "person", "product"}


def text_lines(path: Path) -> list[str]:
    """Lines of a text, packed or not; a line ends at a line feed and nowhere else."""
    held = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = held.decode().split("\n")
    return [line.strip() for line in (lines[:-1] if not lines[-1] else lines)]


def multi30k(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    for index, (english, *captions) in enumerate(zip(*(text_lines(raw / file) for file in files), strict=True)):
        for number, (language, caption) in enumerate(zip(LANGUAGES, captions, strict=True)):
            row = f"{files[0]}:{index}" + f"#{number}" * (number > 0)
            languages = {"source_language": "English", "target_language": language}
            yield Expected(row, (english.replace("&amp;", "&"),), (caption,), fields=languages)


def tatoeba(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    for foreign, english in zip(files[::2], files[1::2], strict=True):
        languages = {"source_language": TATOEBA[foreign[-3:]], "target_language": "English"}
        for index, (text, translation) in enumerate(
            zip(text_lines(raw / foreign), text_lines(raw / english), strict=True)
        ):
            yield Expected(f"{foreign}:{index}", (text,), (translation,), fields=languages)


def webnlg(path: Path, file: str) -> Iterator[Expected]:
    for index, entry in enumerate(ET.parse(path).iter("entry")):  # noqa: S314 - a file of our own
        triples = [triple.text or "" for triple in entry.findall("modifiedtripleset/mtriple")]
        lexes = [(lex.get("comment"), lex.findtext("text") or "") for lex in entry.findall("lex")]
        texts = [text.strip().replace(" @ ", " ") for mark, text in lexes if mark == "good" and text]
        fate = "used" if texts else "texts: fewer than 1 items"
        data = tuple(triple.replace("_", " ").strip() for triple in triples)
        yield Expected(f"{file}:{index}", data, tuple(texts), fate=fate)


def e2e_nlg(path: Path, file: str) -> Iterator[Expected]:
    with path.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    first: dict[str, int] = {}
    texts: dict[str, dict[str, None]] = {}
    for index, row in enumerate(rows):
        first.setdefault(row["mr"], index)
        texts.setdefault(row["mr"], {})[row["ref"].strip()] = None
    for meaning, index in first.items():
        data = tuple(f"{name}: {value}" for name, value in re.findall(r"([^,\[\]]+)\[([^\]]*)\]", meaning))
        yield Expected(f"{file}:{index}", tuple(fact.strip() for fact in data), tuple(texts[meaning]))


def common_gen(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    words, sentences = (text_lines(raw / file) for file in files)
    first: dict[str, int] = {}
    texts: dict[str, dict[str, None]] = {}
    for index, (line, sentence) in enumerate(zip(words, sentences, strict=True)):
        first.setdefault(line, index)
        texts.setdefault(line, {})[sentence.replace("\ufffd\ufffd", "'")] = None
    for line, index in first.items():
        yield Expected(f"{files[0]}:{index}", tuple(line.split(" ")), tuple(texts[line]))


def sgd(path: Path, file: str) -> Iterator[Expected]:
    for index, dialogue in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        turns = [(turn["speaker"], turn["utterance"]) for turn in dialogue["turns"]]
        replies = [place for place, (speaker, _) in enumerate(turns) if speaker == "SYSTEM"]
        for number, place in enumerate(replies):
            said = tuple(utterance for _, utterance in turns[:place])
            row = f"{file}:{index}" + f"#{number}" * (number > 0)
            before = tuple(
                f"{'User' if speaker == 'USER' else 'Assistant'}: {utterance}" for speaker, utterance in turns[:place]
            )
            assert len(said) == len(before) == 2 * number + 1
            yield Expected(row, before, (turns[place][1],))


def asset(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    for index, (sentence, *simple) in enumerate(zip(*(text_lines(raw / file) for file in files), strict=True)):
        yield Expected(f"{files[0]}:{index}", (sentence,), tuple(simple))


def wiki_split(path: Path, file: str) -> Iterator[Expected]:
    for index, (one, two) in enumerate(tab_rows(path)):
        yield Expected(f"{file}:{index}", (one.strip(),), (" ".join(part.strip() for part in two.split("<::::>")),))


def wnut17(path: Path, file: str) -> Iterator[Expected]:
    blocks = re.split(r"\n[ \t]*(?=\n)", path.read_bytes().decode())
    sentences = [block.strip("\n").split("\n") for block in blocks if block.strip()]
    for index, lines in enumerate(sentences):
        cells = [line.split("\t") for line in lines]
        tokens = [plain(token) for token, _ in cells]
        tags = [tag.split(",")[0] for _, tag in cells]
        yield Expected(f"{file}:{index}", (" ".join(tokens),), (pieces(tokens, tags),))


def plain(token: str) -> str:
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        token = token.replace(entity, char)
    return token


def pieces(tokens: list[str], tags: list[str]) -> str:
    found: list[list[str]] = []
    last = ""
    for token, tag in zip(tokens, tags, strict=True):
        kind = tag[2:]
        assert tag == "O" or kind in KINDS
        if kind and tag[0] == "I" and kind == last:
            found[-1][0] += f" {token}"
        elif kind:
            found.append([token, kind.replace("-", " ")])
        last = kind
    return "; ".join(": ".join(piece) for piece in found) or "none"


def dialogsum(path: Path, _: str) -> Iterator[Expected]:
    for row in json_rows(path):
        summaries = [row[name].strip() for name in ("summary", "summary1", "summary2", "summary3") if name in row]
        yield Expected(row["fname"], (row["dialogue"].strip()[:200],), tuple(summaries))


def aeslc(path: Path, file: str) -> Iterator[Expected]:
    body, *subjects = re.split(r"\n@(?:subject|ann0|ann1|ann2)\n", path.read_bytes().decode())
    yield Expected(file, (body.strip()[:200],), tuple(subject.strip() for subject in subjects))


DATASETS = {
    "multi30k_local": Dataset(
        multi30k, source_rows={"train": 10_000, "validation": 1_014, "test": 1_000}, measured="test"
    ),
    "tatoeba_local": Dataset(tatoeba, measured="train"),
    "webnlg_local": Dataset(each(webnlg)),
    "e2e_nlg_local": Dataset(
        each(e2e_nlg), source_rows={"train": 4_672, "test": 4_693}, left_out={"e2e_nlg/testset.csv": NO_TEXTS}
    ),
    "common_gen_local": Dataset(common_gen, source_rows={"train": 20_000, "validation": 4_018, "test": 6_042}),
    "sgd_local": Dataset(
        each(sgd), source_rows={"train": 68}, left_out={"sgd/schema.json": "says what the services can do"}
    ),
    "asset_local": Dataset(asset),
    "wiki_split_local": Dataset(each(wiki_split)),
    "wnut17_local": Dataset(each(wnut17)),
    "dialogsum_local": Dataset(each(dialogsum)),
    "aeslc_local": Dataset(each(aeslc)),
}
