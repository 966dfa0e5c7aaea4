"""Story Cloze: which of two sentences ends a story of four? Mostafazadeh et al. 2016, https://aclanthology.org/N16-1098"""

import polars as pl

from instruction_kit import Hub, Task, index, options, text
from instruction_kit.schema import Continuation

SENTENCES = [f"input_sentence_{number}" for number in range(1, 5)]

task = Task(
    schema=Continuation,
    # There is no train split.
    source=Hub("MoE-UNC/story_cloze", revision="main", splits={"validation": "validation", "test": "test"}),
    columns={
        "text": pl.concat_str([text(name) for name in SENTENCES], separator=" "),
        "endings": options("sentence_quiz1", "sentence_quiz2"),
        "answer": index("answer_right_ending", start=1),
    },
    metrics=["accuracy"],
    license="unknown",  # the stories are given out on a form
    families=["story_cloze"],
    languages=["en"],
    sizes={"validation": 1_871, "test": 1_871},
)
