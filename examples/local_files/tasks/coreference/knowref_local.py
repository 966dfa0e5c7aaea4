"""KnowRef from JSON: which of two people does the pronoun in brackets stand for? https://aclanthology.org/P19-1386"""

import polars as pl

from instruction_kit import Files, Task, options, position, text
from instruction_kit.schema import Coreference

sentence, first, second, right = (
    pl.col("sentence_with_pronoun"),
    *(text(pl.col(name).list.first()) for name in ("candidate0", "candidate1", "correct_candidate")),
)


def judged(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What stands there once more, and what is answered in two ways."""
    asked = [sentence.alias("sentence"), first.alias("first"), second.alias("second")]
    return rows.with_columns(again=pl.int_range(pl.len()).over(asked) > 0, disputed=right.n_unique().over(asked) > 1)


task = Task(
    schema=Coreference,
    source=Files({"train": "knowref/knowref_test.json"}),  # published as a test set, without another
    rows=judged,
    scope="split",
    columns={
        "text": text(sentence),
        "mention": sentence.str.extract(r"(\[[^\]]*\])"),  # with its brackets, since the word may stand there twice
        "options": options(first, second),
        # correct_candidate_idx names the other candidate in 299 rows, so it is not asked
        "answer": position(right, within=pl.concat_list(first, second)),
    },
    skip=pl.col("again") | pl.col("disputed") | (first == second),
    license="cc-by-sa-3.0",
    families=["knowref"],
    sizes={"train": 1_269},
)
