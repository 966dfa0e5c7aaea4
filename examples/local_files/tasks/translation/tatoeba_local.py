"""Tatoeba: sentences of ten languages and their English, two files a language, line by line. https://arxiv.org/abs/1812.10464"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import Translation

LANGUAGES = {
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
code = pl.col("_file").str.extract(r"\.([a-z]{3})$")

task = Task(
    schema=Translation,
    source=Files(
        {
            "train": [
                {"foreign": f"tatoeba/tatoeba.{name}-eng.{name}", "english": f"tatoeba/tatoeba.{name}-eng.eng"}
                for name in LANGUAGES
            ]
        }
    ),
    columns={
        "text": text("foreign"),
        "source_language": code.replace_strict(LANGUAGES, default=None, return_dtype=pl.String),
        "target_language": pl.lit("English"),
        "translations": text("english"),
    },
    metrics=["bleu"],
    license="cc-by-2.0-fr",
    families=["tatoeba"],
    languages=["en", "de", "fr", "es", "ru", "zh", "ja", "ar", "hi", "th", "sw"],
    sizes={"train": 8_938},
)
