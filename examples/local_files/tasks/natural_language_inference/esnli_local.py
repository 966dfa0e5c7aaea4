"""e-SNLI: does one caption entail another, and why? Files whose lines belong together. https://arxiv.org/abs/1812.01193"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

COLUMNS = {"premise": "s1.dev", "hypothesis": "s2.dev", "label": "labels.dev", "why": "preproc1_expl_1.dev"}

task = Task(
    schema=NaturalLanguageInference,
    # A second and a third explanation of each pair lie beside the first.
    source=Files({"validation": {column: f"esnli/{name}" for column, name in COLUMNS.items()}}, format="lines"),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "neutral", "contradiction"]),
        "rationale": text("why"),
    },
    answers={"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"},
    license="cc-by-sa-4.0",
    families=["esnli", "snli", "flickr30k"],  # premises of SNLI are captions of Flickr30k
    sizes={"validation": 9_842},
)
