"""Which layout a model's text has: the one asked for by name, else the one it was tuned in, else its tokenizer's own.

In go a tokenizer, what a user asks for (`Asked`) and what lies beside the model, out comes a `Layout`, or an error that
says why they do not go together. Another layout than the recorded one must be asked for by name.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instruction_kit.errors import TokenError
from instruction_kit.token.chat_template import RESERVED, ChatTemplate, template_hash
from instruction_kit.token.layout import LAYOUT_FILE, Kind, Layout

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Asked:
    """The layout that a user asks for."""

    kind: Kind | None = None
    """None: the one that the model was tuned in, else chat where its tokenizer has a chat template, else plain."""
    system_message: str | None = None
    template_kwargs: dict[str, Any] | None = None

    def problems(self) -> list[str]:
        """Say what cannot be asked for together, or at all."""
        extra = [name for name, value in self._extra().items() if value]
        others = self.kind not in (None, "chat")
        problems = [f"--{name}: a {self.kind} layout has none; take --layout chat" for name in extra if others]
        taken = sorted(RESERVED.intersection(self.template_kwargs or {}))
        return problems + [f"--chat_template_kwargs {name}: it is set by this kit" for name in taken]

    def _extra(self) -> dict[str, object]:
        return {"system_message": self.system_message, "chat_template_kwargs": self.template_kwargs}

    def alone(self) -> list[str]:
        """Name what was asked for without a kind of layout."""
        return [] if self.kind else [f"--{name}" for name, value in self._extra().items() if value is not None]


def read_variables(text: str) -> dict[str, Any]:
    """Read the variables of a chat template from the words of a command line.

    Raises:
        ValueError: they are no JSON object.

    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        found = None
    if isinstance(found, dict):
        return found
    raise ValueError(f'--chat_template_kwargs {text}: write it as JSON, for example {{"enable_thinking": false}}')


def settle(
    tokenizer: "PreTrainedTokenizerBase",
    *,
    name: str,
    joiner: str,
    asked: Asked,
    recorded: Layout | None,
    encoder_decoder: bool = False,
) -> Layout:
    """Settle on a layout: the one that is asked for by name, else the one that the model was tuned in, else its own.

    Args:
        tokenizer: the model's.
        name: what the model is called, for errors.
        joiner: the mixture's.
        asked: what the user asks for.
        recorded: what lies beside the model.
        encoder_decoder: whether the model is one, which has one layout, and no other model has it.

    Raises:
        TokenError: they do not go together.

    """
    _refuse_other_kind(name, asked, recorded, encoder_decoder=encoder_decoder)
    if recorded is None:
        own = Asked("encoder_decoder") if encoder_decoder else asked
        return layout_of(tokenizer, joiner=joiner, asked=own)
    if asked.alone():
        raise TokenError(
            f"{' and '.join(asked.alone())}: {name} was tuned in a layout of its own ({LAYOUT_FILE}); "
            "another one must be asked for by name: --layout chat"
        )
    is_there = recorded.kind != "chat" or recorded.template == template_hash(tokenizer)
    if asked.kind is not None and (asked != Asked(recorded.kind) or not is_there):
        return layout_of(tokenizer, joiner=joiner, asked=asked)
    if recorded.kind != "chat" and asked.kind is None and recorded.joiner != joiner:
        raise TokenError(
            f"{name}: it was tuned on prompts that end in {recorded.joiner!r} ({LAYOUT_FILE}), this mixture's end in "
            f"{joiner!r}; build the mixture with that joiner, or ask for the layout by name: --layout {recorded.kind}"
        )
    if not is_there:
        raise TokenError(
            f"{name}: the chat template of its tokenizer is not the one that it was tuned with ({LAYOUT_FILE}); put "
            "that one back, or ask for the present one by name: --layout chat"
        )
    return recorded.model_copy(update={"joiner": joiner})


def _refuse_other_kind(name: str, asked: Asked, recorded: Layout | None, *, encoder_decoder: bool) -> None:
    """Refuse a layout that the model cannot read: prompt and output are two texts for an encoder-decoder alone."""
    flags = [f"--layout {asked.kind}"] if asked.kind else asked.alone()
    if encoder_decoder and flags and asked.kind != "encoder_decoder":
        raise TokenError(
            f"{' and '.join(flags)}: {name} is an encoder-decoder, which reads the prompt by one side and writes the "
            "output by the other; that is its one layout, so leave this out"
        )
    if not encoder_decoder and asked.kind == "encoder_decoder":
        raise TokenError(f"--layout encoder_decoder: {name} is none; leave it out, or take --layout plain")
    if recorded is not None and (recorded.kind == "encoder_decoder") != encoder_decoder and asked.kind is None:
        raise TokenError(
            f"{name}: the layout in {LAYOUT_FILE} beside it is {recorded.kind}, and the model is "
            f"{'an' if encoder_decoder else 'no'} encoder-decoder; it belongs to another model: remove the file"
        )


def layout_of(tokenizer: "PreTrainedTokenizerBase", *, joiner: str, asked: Asked | None = None) -> Layout:
    """Find the layout that a tokenizer stands for: chat where it has a chat template, unless another is asked for.

    Raises:
        TokenError: it has no chat template or none that can be tuned with, no end-of-sequence token, or it begins a
            text with something other than its BOS token.

    """
    asked = asked or Asked()
    if asked.kind == "encoder_decoder":
        return _encoder_decoder(tokenizer, joiner)
    has_template = bool(tokenizer.chat_template)
    if asked.kind == "plain" or (asked.kind is None and not has_template and not asked.alone()):
        return _plain(tokenizer, joiner)
    if not has_template:
        flag = (asked.alone() or ["--layout chat"])[0]
        raise TokenError(
            f"{flag}: tokenizer {_name(tokenizer)} has no chat template; take --layout plain, or give it one first: "
            "tokenizer.chat_template = ..., then tokenizer.save_pretrained(FOLDER)"
        )
    return _chat(tokenizer, joiner, asked)


def _name(tokenizer: "PreTrainedTokenizerBase") -> str:
    return tokenizer.name_or_path or type(tokenizer).__name__


def _plain(tokenizer: "PreTrainedTokenizerBase", joiner: str) -> Layout:
    return Layout(kind="plain", joiner=joiner, bos=_around(tokenizer)[0], stop=_stop(tokenizer))


def _encoder_decoder(tokenizer: "PreTrainedTokenizerBase", joiner: str) -> Layout:
    stop, (bos, end) = _stop(tokenizer), _around(tokenizer)
    if end not in (None, stop):
        raise TokenError(
            f"tokenizer {_name(tokenizer)}: it ends a text with {end!r}, where an encoder-decoder is read with its "
            f"end-of-sequence token ({stop!r}) or nothing there; take a model of the T5 or BART kind"
        )
    return Layout(kind="encoder_decoder", joiner=joiner, bos=bos, stop=stop, prompt_end=end)


def _stop(tokenizer: "PreTrainedTokenizerBase") -> str:
    if not isinstance(tokenizer.eos_token, str):
        raise TokenError(
            f"tokenizer {_name(tokenizer)}: it has no end-of-sequence token, so a model tuned with it could never "
            "learn to stop; set one first: tokenizer.eos_token = ..., then tokenizer.save_pretrained(FOLDER)"
        )
    return tokenizer.eos_token


def _chat(tokenizer: "PreTrainedTokenizerBase", joiner: str, asked: Asked) -> Layout:
    system_message, variables = asked.system_message or None, asked.template_kwargs or None
    frame = ChatTemplate(tokenizer, variables or {}).opening(system_message)
    begun = isinstance(tokenizer.bos_token, str) and frame.pieces[0].startswith(tokenizer.bos_token)
    bos, text = str(tokenizer.bos_token), frame.smallest()
    if begun and bos != frame.stop and text.count(bos) > 1:
        raise TokenError(
            f"tokenizer {_name(tokenizer)}: its chat template writes {bos!r}, which begins a text, {text.count(bos)} "
            "times; mend it, or take --layout plain"
        )
    return Layout(
        kind="chat",
        joiner=joiner,
        bos=bos if begun else None,
        stop=frame.stop,
        template=template_hash(tokenizer),
        system_message=system_message,
        template_kwargs=variables,
    )


def _around(tokenizer: "PreTrainedTokenizerBase") -> tuple[str | None, str | None]:
    """Return what the tokenizer puts before a text by itself, its BOS token or nothing, and what behind it."""
    bare: list[int] = tokenizer("a", add_special_tokens=False)["input_ids"]
    full: list[int] = tokenizer("a", add_special_tokens=True)["input_ids"]
    before = next((size for size in range(len(full)) if full[size : size + len(bare)] == bare), len(full))
    behind = full[before + len(bare) :]
    end = str(tokenizer.decode(behind, skip_special_tokens=False)) if behind else None
    if before == 0:
        return None, end
    if before == 1 and isinstance(tokenizer.bos_token, str) and full[0] == tokenizer.bos_token_id:
        return tokenizer.bos_token, end
    found = tokenizer.decode(full[:before], skip_special_tokens=False)
    raise TokenError(
        f"tokenizer {_name(tokenizer)}: it begins a text with {found!r}, where only its BOS token "
        f"({tokenizer.bos_token!r}) is known; take a model whose tokenizer adds BOS or nothing"
    )
