"""Rank classification: candidates scored a second, beside lm-evaluation-harness on the same model and token ids.

    python benchmarks/rank_classification.py [--tiny] [--device cuda] [--dtype bfloat16] [--rows 16]

Needs `pip install lm-eval==0.4.13` beside the extra `tune`. Rows are shipped samples of ARC-Easy under the library's
phrasings behind five exemplars: four candidates each, prompts of 300 tokens and more. In `own_exemplars` every row has
exemplars of its own, as measured rows are drawn; in `common_exemplars` all rows of a phrasing stand behind the same
ones. Both sides get the same ids and give the same scores, or the run ends with an error. The harness is run at several
batch sizes, and its best one counts.
"""

import argparse
import gc
import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import torch
from lm_eval.models.huggingface import HFLM
from machine import write_results
from transformers import LlamaConfig, LlamaForCausalLM

from instruction_kit import Mixture
from instruction_kit.evaluation.batch import Scored
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.score import log_likelihoods
from instruction_kit.training.toy import make_tokenizer

TASK = "arc_easy"
SIZES = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
TINY = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
VOCABULARY = 32_000
"""Embeddings of the model; with `SIZES` 134 million weights. The tokenizer that is trained on the rows has fewer."""
SHORTEST = 300
BATCH_SIZES = {"cpu": (1, 4, 16), "cuda": (8, 32, 128)}


def main() -> None:
    """Measure both on both kinds of rows, and write what came out."""
    arguments = _arguments()
    logging.disable(logging.WARNING)
    pairs = measured_pairs()
    tokenizer = make_tokenizer([*pairs["prompt"], *pairs["candidates"].explode()], vocab_size=4_000, add_bos=False)
    model = make_model(TINY if arguments.tiny else SIZES).to(arguments.device, getattr(torch, arguments.dtype))
    results = {}
    for kind, rows in kinds(pairs, tokenizer, num_rows=arguments.rows).items():
        results[kind] = compare(model, tokenizer, rows, device=arguments.device)
        print(kind, results[kind], flush=True)
    size = "tiny" if arguments.tiny else "125m"
    write_results(f"rank_classification_{size}", results, device=arguments.device, packages=("lm-eval",))


def measured_pairs() -> pl.DataFrame:
    """Build the rows: a held-out task behind five exemplars, under every phrasing."""
    mixture = Mixture(
        tasks=[TASK, "sst2"],
        hold_out=[TASK],
        data="sample",
        held_out_settings=["few_shot.options"],
        exemplars={"num": 5},
    )
    with tempfile.TemporaryDirectory() as folder:
        mixture.build(folder)
        return read_pairs(folder, split="held_out")


def make_model(sizes: dict[str, int]) -> LlamaForCausalLM:
    """Make a model of random weights: what a score costs does not depend on what a model knows."""
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(vocab_size=VOCABULARY, max_position_embeddings=4_096, **sizes))


def kinds(pairs: pl.DataFrame, tokenizer: Any, *, num_rows: int) -> dict[str, list[list[Scored]]]:
    """Rows of token ids, a list of candidates each, in both kinds."""

    def ids(text: str) -> tuple[int, ...]:
        return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])

    own, common = [], []
    exemplars: dict[str, str] = {}
    for row in pairs.iter_rows(named=True):
        before, asked = row["prompt"][: row["question_start"]], row["prompt"][row["question_start"] :]
        same = exemplars.setdefault(row["template"], before)
        candidates = [(*ids(text), tokenizer.eos_token_id) for text in row["candidates"]]
        own.append([Scored(ids(before + asked), candidate) for candidate in candidates])
        common.append([Scored(ids(same + asked), candidate) for candidate in candidates])
    usable = [n for n, rows in enumerate(zip(own, common, strict=True)) if _usable(rows)]
    step = max(1, len(usable) // num_rows)
    chosen = usable[::step][:num_rows]
    of_template = [pairs["template"][n] for n in usable]
    commonest = max(sorted(set(of_template)), key=of_template.count)
    by_template = [n for n in usable if pairs["template"][n] == commonest][:num_rows]
    return {
        "own_exemplars": [own[n] for n in chosen],
        "common_exemplars": [common[n] for n in by_template],
    }


def _usable(rows: Sequence[Sequence[Scored]]) -> bool:
    return all(len(row) == 4 and len(row[0].prompt) >= SHORTEST for row in rows)


def compare(model: LlamaForCausalLM, tokenizer: Any, rows: list[list[Scored]], *, device: str) -> dict[str, Any]:
    """Time both; refuse scores that differ by more than 1e-4 in float32."""
    flat = [sequence for row in rows for sequence in row]
    ours: dict[int, float] = {}
    theirs: dict[int, float] = {}
    for size in BATCH_SIZES[device.partition(":")[0]]:
        found, ours[size] = timed(lambda size=size: log_likelihoods(model, flat, batch_size=size))
        harness = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=size, max_length=4_096)
        requests = [(("", ""), list(sequence.prompt), list(sequence.completion)) for sequence in flat]
        wanted, theirs[size] = timed(
            lambda harness=harness, requests=requests: harness._loglikelihood_tokens(requests, disable_tqdm=True)
        )
        apart = max(abs(one - other) for one, (other, _) in zip(found, wanted, strict=True))
        if model.dtype == torch.float32 and apart > 1e-4:
            raise SystemExit(f"batch size {size}: scores differ by {apart}")
    best, their_best = min(ours.values()), min(theirs.values())
    return {
        "rows": len(rows),
        "prompt_tokens": round(sum(len(row[0].prompt) for row in rows) / len(rows)),
        "largest_difference": apart,
        "rows_per_second": {"instruction_kit": len(rows) / best, "lm_eval": len(rows) / their_best},
        "ratio": their_best / best,
        "seconds_by_batch_size": {"instruction_kit": ours, "lm_eval": theirs},
    }


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Run once; the clock stops when the device has finished."""
    gc.collect()
    began = time.perf_counter()
    with torch.inference_mode():
        found = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return found, time.perf_counter() - began


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="a model of a moment, to see that the script runs")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rows", type=int, default=16)
    return parser.parse_args()


if __name__ == "__main__":
    main()
