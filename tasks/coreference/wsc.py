"""WSC: does a pronoun stand for this noun? Levesque et al. 2012, as in SuperGLUE, https://arxiv.org/abs/1905.00537"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import AnswerCheck

pronoun = text("span2_text").str.strip_chars(".,;:")
words = text("text").str.replace_all(r"\s+", " ").str.split(" ")
place = pl.col("span2_index")
at_place = words.list.get(place, null_on_oob=True)
# The pronoun may stand there several times, so the one that is meant is marked. Where another word stands at its place,
# the row has no passage.
marked = pl.when(at_place.str.contains(pronoun, literal=True)).then(
    pl.concat_list(
        words.list.head(place),
        at_place.str.replace(r"^(\W*)(.*?)(\W*)$", "${1}*${2}*${3}"),
        words.list.slice(place + 1),
    ).list.join(" ")
)

task = Task(
    schema=AnswerCheck,
    # The config `wsc` names wrong places for some of its spans.
    source=Hub(
        "aps/super_glue", config="wsc.fixed", revision="main", splits={"train": "train", "validation": "validation"}
    ),
    columns={
        "passage": marked,
        "question": pl.format("Who or what does *{}* stand for?", pronoun),
        "proposal": text("span1_text"),
        "label": labels("label", ["no", "yes"], names=["False", "True"]),
    },
    skip=pl.col("label") == -1,
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["accuracy"],
    license="cc-by-4.0",
    families=["wsc"],
    languages=["en"],
    sizes={"train": 554, "validation": 104},
)
