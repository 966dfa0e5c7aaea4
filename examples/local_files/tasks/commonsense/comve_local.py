"""ComVE, subtask A: which of two sentences makes no sense? Sentences and answers in two CSV files. https://aclanthology.org/2020.semeval-1.39"""

import polars as pl

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import MultipleChoice

data, gold = pl.col("data").struct, pl.col("gold").struct
# In one sentence of train the apostrophe of "can't" was lost.
sentences = [text(data[name].str.replace(r" \x{FFFD} \x{FFFD}", "'")) for name in ("sent0", "sent1")]

task = Task(
    schema=MultipleChoice,
    source=Files(
        {
            "train": {"data": "comve/train_subtaskA_data_all.csv", "gold": "comve/train_subtaskA_answers_all.csv"},
            "validation": {"data": "comve/dev_subtaskA_dev_data.csv", "gold": "comve/dev_subtaskA_gold_answers.csv"},
        },
        columns={"gold": ["id", "wrong"]},  # the answers have no header
    ),
    columns={
        # with both sentences, since not every setting lists the options
        "question": pl.format('Which of these goes against common sense: "{}" or "{}"?', *sentences),
        "options": options(*sentences),
        "answer": index(gold["wrong"]),
    },
    skip=(sentences[0] == sentences[1]) | (data["id"] != gold["id"]),
    license="cc-by-sa-4.0",
    families=["sen_making"],
    sizes={"train": 10_000, "validation": 997},
)
