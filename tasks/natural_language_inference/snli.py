"""SNLI: does one picture caption entail another? Bowman et al. 2015, https://aclanthology.org/D15-1075"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    source=Hub(
        "stanfordnlp/snli",
        config="plain_text",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "neutral", "contradiction"]),
    },
    skip=pl.col("label") == -1,  # the annotators did not agree
    answers={"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"},
    metrics=["accuracy"],
    license="cc-by-sa-4.0",
    families=["snli", "flickr30k"],  # its premises are captions of Flickr30k
    languages=["en"],
    sizes={"train": 550_152, "validation": 10_000, "test": 10_000},
)
