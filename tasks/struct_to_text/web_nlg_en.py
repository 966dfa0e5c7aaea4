"""WebNLG, English: what do triples of DBpedia say? Gardent et al. 2017, https://aclanthology.org/P17-1017"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import StructToText

task = Task(
    schema=StructToText,
    source=Hub(
        "GEM/web_nlg",
        revision="refs/convert/parquet",
        data_dir="en",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    columns={
        # Alan_Bean | birthPlace | "Wheeler, Texas"
        "data": pl.col("input").list.eval(text(pl.element().str.replace_all("_", " ", literal=True))),
        # A row of train has its target alone, those of the other splits all references and the first as target.
        "texts": pl.concat_list("target", "references").list.eval(text(pl.element()).unique(maintain_order=True)),
    },
    # Challenge sets lie in folders whose names begin with challenge_; on that branch they are merged into the splits.
    skip=pl.col("gem_id").str.contains("-challenge_", literal=True),
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-nc-4.0",
    families=["web_nlg"],
    languages=["en"],
    sizes={"train": 35_426, "validation": 1_667, "test": 1_779},
)
