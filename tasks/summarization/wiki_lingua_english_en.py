"""WikiLingua, English: which steps does a section of a how-to guide give? Ladhak et al. 2020, https://aclanthology.org/2020.findings-emnlp.360"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Summarization


def each_section(guides: pl.LazyFrame) -> pl.LazyFrame:
    """A guide holds its sections as parallel lists; each of them is an example."""
    return guides.unnest("article").explode("section_name", "document", "summary")


task = Task(
    schema=Summarization,
    source=Hub(
        "esdurmus/wiki_lingua",
        config="english",
        revision="ea3db3510cbd34d0f8dc612419ae40e4732f3b40",
        splits={"train": "train"},  # the only one
    ),
    rows=each_section,
    columns={
        "document": text("document"),
        "form": pl.lit("short instructions"),
        "summaries": text("summary"),
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-nc-sa-3.0",
    families=["wiki_lingua"],
    languages=["en"],
    sizes={"train": 141_000},  # sections, about; the source has 57,945 guides
)
