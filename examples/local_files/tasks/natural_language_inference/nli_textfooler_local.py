"""Samples of MultiNLI and SNLI from TSV without header or suffix: does one sentence entail another? https://arxiv.org/abs/1907.11932"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    # `mnli` has the pairs of mnli_mismatched once more, with numbers for labels, so it stays out.
    source=Files(
        {"test": ["nli_textfooler/mnli_matched", "nli_textfooler/mnli_mismatched", "nli_textfooler/snli"]},
        format="tsv",
        header=False,
        columns=["label", "premise", "hypothesis"],
        quoting="none",
    ),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "neutral", "contradiction"]),
    },
    answers={"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"},
    families=["multi_nli", "snli", "flickr30k"],
    sizes={"test": 3_000},
)
