"""DROP: what do the counts, dates and names of a passage add up to? Dua et al. 2019, https://aclanthology.org/N19-1246"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import ReadingComprehension

spans = pl.col("answers_spans").struct.field("spans").list.eval(text(pl.element()))
together = pl.when(spans.list.len() > 0).then(pl.concat_list(spans.list.join(", ")))

task = Task(
    schema=ReadingComprehension,
    source=Hub("ucinlp/drop", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "passage": text("passage"),
        "question": text("question"),
        # In train the spans make one answer together, in validation each is what another reader answered.
        "answers": pl.when(pl.col("_split") == "train")
        .then(together)
        .otherwise(spans.list.unique(maintain_order=True)),
    },
    evaluate="validation",  # test is not public
    metrics=["exact_match", "f1"],
    license="cc-by-sa-4.0",
    families=["drop"],
    languages=["en"],
    sizes={"train": 77_400, "validation": 9_535},
)
