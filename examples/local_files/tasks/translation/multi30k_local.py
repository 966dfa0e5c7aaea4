"""Multi30K: captions in three languages, a file each, line by line, some of them packed. https://aclanthology.org/W16-3210"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import Translation

LANGUAGES = {"de": "German", "fr": "French"}


def into_each(lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each language into which the English caption is translated."""
    into = [pl.struct(language=pl.lit(name), caption=code) for code, name in LANGUAGES.items()]
    return lines.with_columns(into=pl.concat_list(into)).explode("into").unnest("into")


task = Task(
    schema=Translation,
    source=Files(
        {
            split: {code: f"multi30k/{name}.{code}{packed}" for code in ["en", *LANGUAGES]}
            for split, name, packed in [
                ("train", "train", ""),
                ("validation", "val", ".gz"),
                ("test", "test_2016_flickr", ".gz"),
            ]
        }
    ),
    rows=into_each,
    columns={
        "text": text("en").str.replace_all("&amp;", "&", literal=True),
        "source_language": pl.lit("English"),
        "target_language": "language",
        "translations": text("caption"),
    },
    metrics=["bleu"],
    families=["multi30k", "flickr30k"],  # the captions are those of Flickr30k
    languages=["en", *LANGUAGES],
    sizes={"train": 20_000, "validation": 2_028, "test": 2_000},
)
