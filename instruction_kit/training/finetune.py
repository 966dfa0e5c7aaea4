"""Tune a language model on a built mixture: the main of `scripts/finetune.py` and of `accelerate launch -m`.

In goes the folder of a built mixture and a model, out comes a folder with the tuned model or an adapter over it, its
tokenizer, its layout (`instruction_kit.json`), a model card and the run's record. The rows become tokens here, before
TRL sees them, and no step is taken before the place of the loss is proved on them.
`python -m instruction_kit.training.finetune --help` lists the flags.
"""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from instruction_kit.errors import InstructionKitError
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.per_cluster import tune_clusters
from instruction_kit.training.request import Request
from instruction_kit.training.run import leave, run
from instruction_kit.training.start import prepare


def finetune(dataset_name: str | Path, **flags: object) -> Path:
    """Tune a model on a built mixture; keyword arguments are the flags of the command line.

    Args:
        dataset_name: the folder of a built mixture.
        flags: `model_name_or_path`, `output_dir`, and any other flag under its own name.

    Returns:
        The folder with the tuned model.

    Raises:
        InstructionKitError: the flags, the tokens or the model would make the run go wrong.

    """
    return _tune(parse(as_arguments({"dataset_name": dataset_name, **flags})))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    logging.basicConfig(format="%(message)s")
    if int(os.environ.get("RANK", "0")) == 0:
        logging.getLogger("instruction_kit").setLevel(logging.INFO)
    try:
        _tune(parse(sys.argv[1:] if arguments is None else arguments))
    except InstructionKitError as error:
        sys.stderr.write(f"finetune: {error}\n")
        return 1
    return 0


def _tune(request: Request) -> Path:
    if request.adapter_per is not None:
        tune_clusters(request)
        return request.output
    prepared = prepare(request)
    run(request, prepared)
    leave(prepared.trainer)
    return request.output


if __name__ == "__main__":
    sys.exit(main())
