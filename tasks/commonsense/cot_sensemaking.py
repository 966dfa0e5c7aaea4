"""ComVE in FLAN 2022's text: which sentence makes no sense? Wang et al. 2020, https://aclanthology.org/2020.semeval-1.39"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

asked = pl.col("question").str.replace_all(r"\n", "\n", literal=True)  # line ends may be written as two characters
sentences = [text(asked.str.extract(rf'- Sentence {letter}: "(.*)"')) for letter in "AB"]
which = text(asked.str.extract(r"(?s)^(.*?)\nOptions:\n")).str.strip_chars_end("?.: ")  # is against common sense

task = Task(
    schema=MultipleChoice,
    source=Hub("chiayewken/flan-cot", config="sensemaking", revision="main", splits={"train": "train"}),
    columns={
        "question": pl.format('{}: "{}" or "{}"?', which, *sentences),
        "options": pl.concat_list(sentences),
        "answer": position(text("answer"), within=pl.concat_list(pl.lit("Sentence A"), pl.lit("Sentence B"))),
        "rationale": text("explanation"),
    },
    skip=sentences[0] == sentences[1],
    metrics=["accuracy"],
    license="cc-by-sa-4.0",
    families=["sen_making"],
    languages=["en"],
    sizes={"train": 6_070},
)
