"""A small language model and a tokenizer, made on the spot: for the demo, for tests, for a first try.

In go texts and sizes, out comes a folder that `from_pretrained` reads. The tokenizer is a byte-level BPE trained on the
texts, so every text can be written in it; the model is a Llama, or a T5, of random weights. The same arguments give
the same bytes: nothing is downloaded, and the global random state is left as it was.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from instruction_kit.errors import TrainingError

BOS, EOS, PAD = "<|begin|>", "<|end|>", "<|pad|>"
SMALLEST_VOCABULARY = 256 + 3  # every byte, and the three tokens above
HEAD_SIZE = 16


def make_toy(  # noqa: PLR0913 - each has a default, and says what one part of the model is like
    folder: str | Path,
    texts: Iterable[str],
    *,
    vocab_size: int = 1024,
    hidden_size: int = 64,
    num_layers: int = 2,
    max_positions: int = 2048,
    add_bos: bool = True,
    chat_template: str | None = None,
    markers: Sequence[str] = (),
    seed: int = 0,
) -> Path:
    """Write a model and its tokenizer into `folder`.

    Args:
        folder: where they go; made if it is absent.
        texts: what the tokenizer learns its pieces from.
        vocab_size: the most tokens that the tokenizer may have; few texts give fewer.
        hidden_size: the width of the model, a multiple of 16, the width of an attention head.
        num_layers: the depth of the model.
        max_positions: the longest text in tokens.
        add_bos: whether the tokenizer puts its beginning-of-text token before a text by itself.
        chat_template: how the tokenizer writes conversations; without one it knows plain texts alone.
        markers: tokens that the chat template writes around turns.
        seed: decides the weights.

    """
    _check_sizes(vocab_size, hidden_size)
    tokenizer = make_tokenizer(texts, vocab_size=vocab_size, add_bos=add_bos, markers=markers)
    tokenizer.chat_template = chat_template
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=4 * hidden_size,
        num_hidden_layers=num_layers,
        num_attention_heads=hidden_size // HEAD_SIZE,
        num_key_value_heads=hidden_size // HEAD_SIZE,
        max_position_embeddings=max_positions,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return _write(folder, lambda: LlamaForCausalLM(config), tokenizer, seed=seed)


def make_toy_encoder_decoder(
    folder: str | Path,
    texts: Iterable[str],
    *,
    vocab_size: int = 1024,
    hidden_size: int = 64,
    num_layers: int = 2,
    seed: int = 0,
) -> Path:
    """Write an encoder-decoder and its tokenizer into `folder`; the arguments are those of `make_toy`.

    Like that of T5, its tokenizer begins a text with nothing and ends it with its end-of-sequence token, and its
    decoder begins with the token for padding.
    """
    _check_sizes(vocab_size, hidden_size)
    tokenizer = make_tokenizer(texts, vocab_size=vocab_size, add_bos=False, add_eos=True)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=hidden_size,
        d_ff=4 * hidden_size,
        d_kv=HEAD_SIZE,
        num_heads=hidden_size // HEAD_SIZE,
        num_layers=num_layers,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config.bos_token_id, config.decoder_start_token_id = tokenizer.bos_token_id, tokenizer.pad_token_id
    return _write(folder, lambda: T5ForConditionalGeneration(config), tokenizer, seed=seed)


def _check_sizes(vocab_size: int, hidden_size: int) -> None:
    if vocab_size < SMALLEST_VOCABULARY:
        raise TrainingError(f"vocab_size {vocab_size}: every byte and three special tokens need {SMALLEST_VOCABULARY}")
    if hidden_size % HEAD_SIZE:
        raise TrainingError(f"hidden_size {hidden_size}: it must be a multiple of {HEAD_SIZE}, the width of a head")


def _write(
    folder: str | Path, make: Callable[[], PreTrainedModel], tokenizer: PreTrainedTokenizerFast, *, seed: int
) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = make()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def make_tokenizer(
    texts: Iterable[str], *, vocab_size: int, add_bos: bool = True, add_eos: bool = False, markers: Sequence[str] = ()
) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer on texts."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[BOS, EOS, PAD, *markers],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    before, behind = f"{BOS} " if add_bos else "", f" {EOS}" if add_eos else ""
    if before or behind:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{before}$A{behind}",
            pair=f"{before}$A $B{behind}",
            special_tokens=[(token, tokenizer.token_to_id(token)) for token in (BOS, EOS)],
        )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, pad_token=PAD, extra_special_tokens=list(markers)
    )
