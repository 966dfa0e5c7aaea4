"""CoQA: what is the next answer in a conversation about a story? Reddy et al. 2019, https://aclanthology.org/Q19-1016"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Dialogue

asked = pl.col("questions").list.eval(text(pl.element()))
told = pl.col("answers").struct.field("input_text").list.eval(text(pl.element()))


def one_row_a_turn(stories: pl.LazyFrame) -> pl.LazyFrame:
    """Each question with all that was asked and answered before it."""
    count, place = asked.list.len(), pl.int_ranges(2 * asked.list.len())
    said = pl.concat_list(asked, told).list.gather(place // 2 + place % 2 * count, null_on_oob=True)
    # Without a question there is one row all the same, so that it is told.
    answered = pl.when(count > 0).then(pl.int_ranges(1, 2 * count, step=2))
    turns = stories.with_columns(said=said, at=answered).explode("at")
    return turns.with_columns(
        turns=pl.col("said").list.head("at"), reply=pl.col("said").list.get("at", null_on_oob=True)
    )


task = Task(
    schema=Dialogue,
    source=Hub("stanfordnlp/coqa", revision="main", splits={"train": "train", "validation": "validation"}),
    rows=one_row_a_turn,
    columns={"context": text("story"), "turns": "turns", "responses": "reply"},
    evaluate="validation",  # there is no test split
    metrics=["exact_match", "f1"],
    license="other",
    families=["coqa"],
    languages=["en"],
    sizes={"train": 107_985, "validation": 7_500},  # 15 turns a story, in the mean
)
