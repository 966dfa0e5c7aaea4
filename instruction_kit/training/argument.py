"""This kit's own flags of a tuning run, beside those of SFTConfig and ModelConfig.

Each stands here once, with the words that `--help` shows; `flag` reads them.
"""

from dataclasses import dataclass, field


@dataclass
class KitArguments:
    """This kit's own flags."""

    dataset_name: str = field(metadata={"help": "The folder of a built mixture."})
    layout: str | None = field(
        default=None,
        metadata={
            "help": "How prompt and completion become one text: plain, or chat (by the tokenizer's chat template). "
            "Without it the layout that the model was tuned in, else chat where there is a template, else plain. "
            "An encoder-decoder has one of its own."
        },
    )
    system_message: str | None = field(
        default=None, metadata={"help": "What begins every conversation of a chat layout that has none of its own."}
    )
    chat_template_kwargs: str | None = field(
        default=None, metadata={"help": 'Variables of the chat template, as JSON: {"enable_thinking": false}.'}
    )
    accept_dropped: bool = field(
        default=False, metadata={"help": "Go on when a task loses more than 1 percent of its pairs to max_length."}
    )
    tokens: str | None = field(
        default=None,
        metadata={
            "help": "Token shards that `instruction-kit tokenize` wrote of this mixture for this model. Without it "
            "they are written into the folder `tokens` of the output folder."
        },
    )
    inspect: bool = field(
        default=False, metadata={"help": "Show the first batch, with what is trained in colour, and end there."}
    )
    weigh: str = field(
        default="token", metadata={"help": "What weighs the same in the loss: each token, or each pair."}
    )
    answer_weight: float = field(default=1.0, metadata={"help": "The weight of an answer's tokens in the loss."})
    rationale_weight: float = field(
        default=1.0, metadata={"help": "The weight of all else in an output that holds more than its answer."}
    )
    task_weight: list[str] | None = field(
        default=None, metadata={"help": "TASK=NUMBER, several: what the weights of a task's pairs are multiplied by."}
    )
    held_out_rows: int = field(
        default=50,
        metadata={"help": "Rows of each held-out task that every evaluation ranks (--eval_strategy); 0 for none."},
    )
    adapter_per: str | None = field(
        default=None,
        metadata={
            "help": "cluster: one adapter of --use_peft for each cluster that is trained on, over one base, each in a "
            "folder of its own."
        },
    )
    merge_adapter: bool = field(
        default=False, metadata={"help": "Write a whole model at the end, with the adapter of --use_peft merged in."}
    )
