"""STS-B: how close are two sentences in meaning? Cer et al. 2017, https://aclanthology.org/S17-2001"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import SentenceSimilarity

# The mean of several grades, to the nearest whole one; a half goes to the even grade, as FLAN's formatting has it.
score = pl.col("label").round(mode="half_to_even").cast(pl.Int64, strict=False)

task = Task(
    schema=SentenceSimilarity,
    source=Hub("nyu-mll/glue", config="stsb", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "sentence1": text("sentence1"),
        "sentence2": text("sentence2"),
        "score": labels(score, ["0", "1", "2", "3", "4", "5"]),
    },
    answers={grade: f"{grade} out of 5" for grade in "012345"},  # with the number, by which correlations go
    evaluate="validation",  # the scores of test are hidden: -1.0
    metrics=["pearson", "spearman"],
    license="other",
    families=["stsb", "mrpc", "snli", "flickr30k"],  # some of its sentences are theirs
    languages=["en"],
    sizes={"train": 5_749, "validation": 1_500},
)
