"""ANLI, round 3: does a passage of any kind entail a sentence that misleads the strongest model? Nie et al. 2020, https://aclanthology.org/2020.acl-main.441"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    # One config holds all three rounds; a round is a split of its own, and `dev` is what others call validation.
    source=Hub(
        "facebook/anli",
        config="plain_text",
        revision="main",
        splits={"train": "train_r3", "validation": "dev_r3", "test": "test_r3"},
    ),
    columns={
        "premise": text(pl.col("premise").str.replace_all(r"<br\s*/?>", "\n")),  # as the instructions have it
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "neutral", "contradiction"]),
    },  # `reason`, where it is filled, tells how the model was misled rather than why the label is right
    answers={"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"},
    metrics=["accuracy"],
    license="cc-by-nc-4.0",
    families=["anli", "rte", "story_cloze"],  # some of its passages are theirs
    languages=["en"],
    sizes={"train": 100_459, "validation": 1_200, "test": 1_200},
)
