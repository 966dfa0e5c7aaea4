"""CLINC150 from JSON: what does somebody ask of an assistant? Splits in one file, rows without names. https://aclanthology.org/D19-1131"""

import polars as pl

from instruction_kit import Files, Task, position, text
from instruction_kit.schema import MultipleChoice

NUM_OPTIONS = 8


def offer_intents(frame: pl.LazyFrame) -> pl.LazyFrame:
    """A prompt cannot list 150 intents: each row offers its own and seven more, chosen by its index."""
    own, row = pl.col("intent").rank("dense").cast(pl.Int64) - 1, pl.col("_index")
    step = 1 + row % 18  # 8 intents that are 18 places apart do not come round to the first again
    places = [(own + step * (place - row % NUM_OPTIONS)) % pl.col("intent").n_unique() for place in range(NUM_OPTIONS)]
    offered = pl.concat_list(pl.col("intent").unique().sort().gather(place) for place in places)
    return frame.with_columns(offered.list.sort().alias("offered"))


task = Task(
    schema=MultipleChoice,
    # The lists oos_* hold what belongs to none of the intents; they stay out.
    source=Files(
        dict.fromkeys(("train", "validation", "test"), "clinc150/data_full.json"),
        records={"train": "train", "validation": "val", "test": "test"},
        columns=["utterance", "intent"],
    ),
    rows=offer_intents,
    scope="split",
    columns={
        "context": text("utterance"),
        "question": pl.lit("What does the speaker want?"),
        "options": pl.col("offered").list.eval(pl.element().str.replace_all("_", " ")),
        "answer": position("intent", within="offered"),
    },
    license="cc-by-3.0",
    families=["clinc150"],
    sizes={"train": 15_000, "validation": 3_000, "test": 4_500},
)
