"""E2E NLG from CSV: restaurants by their attributes, one line for each text. https://aclanthology.org/W17-5525"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import StructToText


def restaurants(lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each set of attributes, with all texts about it, each once."""
    first = pl.col("_file", "_index").first()
    return lines.group_by("mr", maintain_order=True).agg(first, text("ref").unique(maintain_order=True))


task = Task(
    schema=StructToText,
    # testset.csv has the attributes of testset_w_refs.csv without the texts
    source=Files({"train": "e2e_nlg/devset.csv", "test": "e2e_nlg/testset_w_refs.csv"}),
    rows=restaurants,
    scope="split",
    columns={
        # name[Alimentum], area[city centre]
        "data": pl.col("mr").str.strip_suffix("]").str.replace_all("[", ": ", literal=True).str.split("], "),
        "texts": "ref",
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-sa-4.0",
    families=["e2e_nlg"],
    sizes={"train": 547, "test": 630},
)
