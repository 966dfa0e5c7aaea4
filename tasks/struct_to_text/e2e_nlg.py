"""E2E NLG: what do these attributes say about a restaurant? Novikova et al. 2017, https://aclanthology.org/W17-5525"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import StructToText

ATTRIBUTES = {"eatType[": "type[", "priceRange[": "price range[", "familyFriendly[": "family friendly["}


def one_row_a_place(sentences: pl.LazyFrame) -> pl.LazyFrame:
    """The source has a row for each text; those about the same attributes are references of one example."""
    places = sentences.group_by("meaning_representation", maintain_order=True)
    return places.agg(text("human_reference").unique(maintain_order=True).alias("texts"))


task = Task(
    schema=StructToText,
    source=Hub(
        "tuetschek/e2e_nlg",  # the texts as they were collected; FLAN has those that were cleaned afterwards
        revision="refs/convert/parquet",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    rows=one_row_a_place,
    scope="group:meaning_representation",
    columns={
        # name[The Mill], eatType[pub]
        "data": text("meaning_representation")
        .str.replace_many(ATTRIBUTES)
        .str.strip_suffix("]")
        .str.replace_all("[", ": ", literal=True)
        .str.split("], "),
        "texts": "texts",
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-sa-4.0",
    families=["e2e_nlg"],
    languages=["en"],
    sizes={"train": 4_862, "validation": 547, "test": 630},  # sets of attributes
)
