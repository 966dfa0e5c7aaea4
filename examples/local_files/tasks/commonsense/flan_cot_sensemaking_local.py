"""Flan's chain-of-thought file of Sen-Making: which of two sentences makes no sense? https://aclanthology.org/P19-1393"""

import polars as pl

from instruction_kit import Files, Task, position, text
from instruction_kit.schema import MultipleChoice

asked = pl.col("asked").str.replace_all(r"\n", "\n", literal=True)  # line ends are written as two characters
sentences = [text(asked.str.extract(rf'- Sentence {letter}: "(.*)"\n')) for letter in "AB"]
which = text(asked.str.extract(r"(?s)^(.*?)\nOptions:\n")).str.strip_chars_end("?.: ")  # makes no sense

task = Task(
    schema=MultipleChoice,
    source=Files(
        {"train": "flan_cot/sensemaking_train.tsv"}, header=False, columns=["asked", "answer", "why"], quoting="none"
    ),
    columns={
        "question": pl.format('{}: "{}" or "{}"?', which, *sentences),
        "options": pl.concat_list(sentences),
        "answer": position("answer", within=pl.concat_list(pl.lit("Sentence A"), pl.lit("Sentence B"))),
        "rationale": text("why"),
    },
    skip=sentences[0] == sentences[1],
    license="apache-2.0",
    families=["sen_making"],
    sizes={"train": 6_070},
)
