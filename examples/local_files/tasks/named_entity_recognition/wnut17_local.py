"""WNUT 2017, tokens and tags in blocks: rare names in tweets and posts. https://aclanthology.org/W17-4418"""

import polars as pl

from instruction_kit import Files, Task, spans
from instruction_kit.schema import SequenceLabelling

ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}
KINDS = {
    kind: kind.replace("-", " ") for kind in ["corporation", "creative-work", "group", "location", "person", "product"]
}

# Sentences are parted by empty lines, in train by lines with a tab. Where annotators differed, test has several tags
# with a comma between them; the first one counts.
lines = pl.col("lines").list
tokens = lines.eval(pl.element().str.extract(r"^([^\t]*)\t").str.replace_many(ENTITIES))
tags = lines.eval(pl.element().str.extract(r"\t([^\t,]*)"))

task = Task(
    schema=SequenceLabelling,
    source=Files(
        {
            "train": "wnut17/wnut17train.conll",
            "validation": "wnut17/emerging.dev.conll",
            "test": "wnut17/emerging.test.conll",
        }
    ),
    columns={
        "text": tokens.list.join(" "),
        "kinds": pl.concat_list(pl.lit(kind) for kind in KINDS.values()),
        "spans": spans(tokens, tags, names=KINDS),
    },
    metrics=["exact_match"],
    license="cc-by-4.0",
    families=["wnut_17"],
    sizes={"train": 3_394, "validation": 1_009, "test": 1_287},
)
