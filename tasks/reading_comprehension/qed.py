"""QED: an answer in a passage, the sentence that has it, and what refers to what. Lamm et al. 2021, https://arxiv.org/abs/2009.06354"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import ReadingComprehension

annotation = pl.col("annotation").struct
sentence = text(annotation.field("selected_sentence").struct.field("string"))
pair = pl.element().struct
asked, said = (pair.field(side).struct.field("string") for side in ("question_reference", "sentence_reference"))
equalities = annotation.field("referential_equalities").list.eval(
    # of what is only implied in the sentence the text is empty; what both say in the same words needs no telling
    pl.when((said != "") & (said.str.to_lowercase() != asked.str.to_lowercase()))
    .then(pl.format('There, "{}" is what the question calls "{}".', said, asked))
    .drop_nulls()
)

task = Task(
    schema=ReadingComprehension,
    source=Hub(
        "google-research-datasets/qed",
        revision="refs/convert/parquet",  # on main there is a loading script alone
        splits={"train": "train", "validation": "validation"},
    ),
    columns={
        "passage": text("paragraph_text"),
        "question": text("question").str.replace(r"(?s)^(.+?)[\s?]*$", "${1}?"),  # typed into a search box
        "answers": pl.col("original_nq_answers").list.eval(text(pair.field("string"))).list.unique(maintain_order=True),
        # where the answer does not follow from one sentence, none is selected
        "rationale": pl.when(sentence != "").then(pl.concat_list(sentence, equalities).list.join(" ")),
    },
    key="example_id",
    evaluate="validation",
    metrics=["exact_match", "f1"],
    license="cc-by-sa-3.0",  # of QED; the hub says nothing
    status="unverified",
    families=["qed", "natural_questions"],
    languages=["en"],
    sizes={"train": 7_638, "validation": 1_355},
)
