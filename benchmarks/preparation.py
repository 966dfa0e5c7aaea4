"""Preparing pairs for training: raw rows to packed token shards, beside TRL's own preparation of the same pairs.

    python benchmarks/preparation.py MIXTURE.yaml --data-dir RAW [--pairs 100000]
    python benchmarks/preparation.py --tiny

Needs the extras `fast` and `tune`. Each way runs once in a process of its own, bound to one core and to two: this kit
with its fast engine, this kit with `tokenizers`, and TRL's SFTTrainer with packing on and as many processes as cores.
The tokenizer is a byte-level BPE of 32,000 tokens trained on the pairs; a model of next to nothing is made beforehand,
since TRL wants one. Imports and that model are left out of every time, and so is removing what was written; reading the
pairs and writing the result are in.
TRL has no part that makes pairs of raw rows, so the build, from files that nothing has read before, is timed by itself;
`raw_rows_per_second` has it before each way. Seconds are told by the clock and by the processors (this process and
those that it started): on a machine that others use too, the second is the one to compare.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from machine import write_results

from instruction_kit import Mixture

WAYS = ("gigatoken", "tokenizers", "trl")
MAX_LENGTH = 2048
VOCABULARY = 32_000


def main() -> None:
    """Measure each way on each number of cores, and write what came out."""
    arguments = _arguments()
    if arguments.way == "build":
        print(json.dumps(built(arguments)))
        return
    if arguments.way:
        print(json.dumps(measured(arguments.way, Path(arguments.folder), cores=arguments.cores)))
        return
    with tempfile.TemporaryDirectory() as folder:
        facts = prepare(Path(folder), arguments)
        print(facts, flush=True)
        results: dict[str, Any] = {"pairs": facts, "max_length": MAX_LENGTH, "load_average": os.getloadavg()[0]}
        for cores in (1, 2):
            found = {}
            build = alone("build", folder, cores=cores)
            for way in reversed(WAYS):
                found[way] = figures = alone(way, folder, cores=cores)
                figures["rows_per_second"] = round(facts["number"] / figures["cpu_seconds"])
                figures["megabytes_per_second"] = round(facts["megabytes"] / figures["cpu_seconds"], 1)
                figures["times_trl"] = round(found["trl"]["cpu_seconds"] / figures["cpu_seconds"], 1)
                figures["times_trl_by_the_clock"] = round(found["trl"]["seconds"] / figures["seconds"], 1)
                whole = build["cpu_seconds"] + figures["cpu_seconds"]
                figures["raw_rows_per_second"] = round(build["raw_rows"] / whole)
                print(cores, way, figures, flush=True)
            print(cores, "build", build, flush=True)
            results[f"{cores}_cores"] = {"build": build, **found}
            write_results(f"preparation_{'tiny' if arguments.tiny else 'real'}", results, packages=("gigatoken",))


def prepare(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Build the pairs, train the tokenizer, make the model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from instruction_kit.training.toy import make_tokenizer

    mixture_of(arguments).build(folder / "built")
    pairs = pl.read_parquet(folder / "built" / "train" / "train-*.parquet", columns=["prompt", "completion"])
    texts = [*pairs["prompt"][:50_000], *pairs["completion"].unique()]
    tokenizer = make_tokenizer(texts, vocab_size=VOCABULARY, add_bos=False)
    tokenizer.save_pretrained(folder / "model")
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder / "model")
    size = sum(int(pairs[side].str.len_bytes().sum()) for side in pairs.columns)
    return {"number": len(pairs), "megabytes": round(size / 1e6, 1)}


def mixture_of(arguments: argparse.Namespace) -> Mixture:
    """What is built: the samples, or a mixture over files."""
    if arguments.tiny:
        return Mixture(tasks="all", data="sample", num_validation=0, num_held_out=1)
    read = Mixture.from_yaml(arguments.mixture)
    sized = read.model_copy(update={"num_pairs": arguments.pairs, "max_repeats": 1_000})
    return sized.with_data_dir(arguments.data_dir) if arguments.data_dir else sized


def built(arguments: argparse.Namespace) -> dict[str, Any]:
    """Time the way from raw rows to pairs; the cache of scans is empty."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.cores])
    logging.disable(logging.WARNING)
    start, before = time.perf_counter(), os.times()
    manifest = mixture_of(arguments).build(Path(arguments.folder) / f"built-{arguments.cores}")
    seconds, after = time.perf_counter() - start, os.times()
    rows = sum(source.ledger.read for task in manifest.tasks.values() for source in task.splits.values())
    cpu = round(sum(after[:4]) - sum(before[:4]), 3)
    return {"seconds": round(seconds, 3), "cpu_seconds": cpu, "raw_rows": rows}


def alone(way: str, folder: str, *, cores: int) -> dict[str, Any]:
    """Run one way in a process of its own."""
    there = str(Path(__file__).resolve().parent)
    environment = {
        **os.environ,
        "HF_DATASETS_CACHE": f"{folder}/cache-{way}-{cores}",
        "INSTRUCTION_KIT_CACHE": f"{folder}/scans-{cores}",
        "PYTHONPATH": os.pathsep.join([there, os.environ.get("PYTHONPATH", "")]),
        "RAYON_NUM_THREADS": str(cores),
        "POLARS_MAX_THREADS": str(cores),
    }
    command = [sys.executable, __file__, *sys.argv[1:], "--way", way, "--folder", folder, "--cores", str(cores)]
    told = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found


def measured(way: str, folder: Path, *, cores: int) -> dict[str, Any]:
    """Time one way on some cores; what it needs is loaded before."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    logging.disable(logging.WARNING)
    run = trl_preparation(folder, cores=cores) if way == "trl" else own_preparation(folder, way)
    start, before = time.perf_counter(), os.times()
    told = run()
    seconds, after = time.perf_counter() - start, os.times()
    return {"seconds": round(seconds, 3), "cpu_seconds": round(sum(after[:4]) - sum(before[:4]), 3), **told}


def own_preparation(folder: Path, engine: str) -> Callable[[], dict[str, Any]]:
    """This kit: token shards on disk, with labels, borders, tasks and where each pair comes from."""
    import awkward  # noqa: F401 - imports are left out of the time: what gigatoken and pyarrow load when first called
    import gigatoken  # noqa: F401
    import pandas as pd  # noqa: F401
    from transformers import AutoTokenizer

    from instruction_kit.token.plain import PlainEncoder
    from instruction_kit.token.settle import layout_of
    from instruction_kit.token.shard import Wanted, tokenise

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    encoder = PlainEncoder(tokenizer, layout_of(tokenizer, joiner="\n"))

    out = tempfile.mkdtemp(dir=folder)  # one of its own for each run, so that none finds what another wrote

    def run() -> dict[str, Any]:
        wanted = Wanted(MAX_LENGTH, packing=True)
        record = tokenise(folder / "built", out, wanted, encoder=encoder, accept_dropped=True, engine_names=[engine])
        mixing = record.mixing
        if record.engine.name != engine:
            raise AssertionError(f"{engine} was not used: {record.engine}")
        return {"packs": record.rows, "pairs": record.pairs, "fill": mixing.fill, "task_entropy": mixing.task_entropy}

    return run


def trl_preparation(folder: Path, *, cores: int) -> Callable[[], dict[str, Any]]:
    """TRL: what its trainer does with prompts and completions when it is made."""
    import scipy.stats  # noqa: F401 - as above
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    torch.set_num_threads(1)
    tokenizer, model = (kind.from_pretrained(folder / "model") for kind in (AutoTokenizer, AutoModelForCausalLM))
    config = SFTConfig(
        output_dir=str(folder / "trained"),
        max_length=MAX_LENGTH,
        packing=True,
        dataset_num_proc=None if cores == 1 else cores,
        report_to=[],
        use_cpu=True,
        bf16=False,
        disable_tqdm=True,
    )

    def run() -> dict[str, Any]:
        files = sorted(map(str, (folder / "built" / "train").glob("train-*.parquet")))
        rows = Dataset.from_parquet(files, columns=["prompt", "completion"])
        trainer = SFTTrainer(model=model, args=config, train_dataset=rows, processing_class=tokenizer)
        packs = trainer.train_dataset
        tokens = sum(len(row) for row in packs.with_format("numpy")["input_ids"][:])
        return {"packs": len(packs), "fill": round(tokens / len(packs) / MAX_LENGTH, 4)}

    return run


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mixture", nargs="?", help="a mixture file, such as examples/local_files/mixture.yaml")
    parser.add_argument("--data-dir", help="where its files lie")
    parser.add_argument("--pairs", type=int, default=100_000, help="how many pairs")
    parser.add_argument("--tiny", action="store_true", help="the samples of the library: does it run?")
    parser.add_argument("--way", choices=("build", *WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    found = parser.parse_args()
    if not (found.mixture or found.tiny or found.way):
        parser.error("name a mixture file, or --tiny")
    return found


if __name__ == "__main__":
    main()
