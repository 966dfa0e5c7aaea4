"""Every field of TRL's SFTConfig and ModelConfig, and what happens to it here.

Each field stands in exactly one of four tables: `READ` (this kit decides what TRL gets), `PASSED` (TRL reads it as the
user set it), `FORCED` (one value only, because another would train something else in silence) and `REFUSED` (it would
be ignored or would do harm; the reason is what the user reads). A test walks all fields of the installed TRL through
the tables, so that a new release cannot bring a field that nobody has thought about.
"""

from typing import NamedTuple


class Forced(NamedTuple):
    """The one value that a field may have, and why."""

    value: object
    why: str


READ = frozenset({
    "activation_checkpointing",         # on where there is an accelerator, unless set
    "activation_checkpointing_kwargs",
    "attn_implementation",
    "bnb_4bit_quant_storage",           # the flags of QLoRA: refused where nothing reads them, or the device cannot
    "bnb_4bit_quant_type",
    "bf16",                             # on where the hardware has it, unless set
    "dataloader_pin_memory",            # off on a machine without an accelerator, where it only warns
    "deepspeed",                        # a file of settings that this kit can bear
    "dtype",
    "eval_on_start",                    # these wait for an evaluation, and are refused where there is none
    "eval_strategy",
    "fp16",
    "gradient_checkpointing",           # the old names are taken for the new ones
    "gradient_checkpointing_kwargs",
    "greater_is_better",                # lower for every loss, also that of a task, unless set
    "load_best_model_at_end",
    "load_in_4bit",
    "load_in_8bit",
    "lora_alpha",                       # the flags of an adapter: refused where there is none to read them
    "lora_dropout",
    "lora_modules_to_save",
    "lora_r",
    "lora_target_modules",
    "lora_target_parameters",
    "lr_scheduler_type",                # those that wait for an evaluation are refused where there is none
    "max_length",
    "metric_for_best_model",            # a figure that there will be
    "model_init_kwargs",
    "model_name_or_path",
    "model_revision",
    "output_dir",
    "packing",                          # by this kit's own packer
    "report_to",                        # nothing unless asked, whatever the surroundings switch on
    "resume_from_checkpoint",
    "save_strategy",                    # as lr_scheduler_type
    "trust_remote_code",
    "use_bnb_nested_quant",
    "use_cpu",
    "use_dora",
    "use_peft",
    "use_rslora",
})  # fmt: skip

PASSED = frozenset({
    # how long, and in what portions
    "per_device_train_batch_size", "gradient_accumulation_steps", "num_train_epochs", "max_steps", "pad_to_multiple_of",
    # the optimiser and the loss
    "adam_beta1", "adam_beta2", "adam_epsilon", "learning_rate", "loss_type", "lr_scheduler_kwargs",
    "max_grad_norm", "neftune_noise_alpha", "optim", "optim_args", "optim_target_modules",
    "router_aux_loss_coef", "warmup_steps", "weight_decay",
    # precision, memory and speed
    "activation_offloading", "tf32", "torch_compile", "torch_compile_backend", "torch_compile_mode",
    "torch_empty_cache_steps",
    # the same run again
    "full_determinism", "seed",
    # what is told
    "debug", "disable_tqdm", "include_num_input_tokens_seen", "log_level", "log_level_replica", "log_on_each_node",
    "logging_first_step", "logging_steps", "logging_strategy", "project", "run_name", "skip_memory_metrics",
    "trackio_bucket_id", "trackio_space_id", "trackio_static_space_id",
    # evaluations
    "eval_delay", "eval_steps", "per_device_eval_batch_size",
    # checkpoints
    "enable_jit_checkpoint", "save_on_each_node", "save_only_model", "save_steps", "save_total_limit",
    # processes
    "dataloader_multiprocessing_context", "dataloader_num_workers", "dataloader_persistent_workers",
    "dataloader_prefetch_factor", "ddp_backend", "ddp_broadcast_buffers", "ddp_bucket_cap_mb",
    "ddp_find_unused_parameters", "ddp_static_graph", "ddp_timeout",
})  # fmt: skip

FORCED = {
    "assistant_only_loss": Forced(value=False, why="the labels in the token shards say where the loss is"),
    "average_tokens_across_devices": Forced(value=True, why="a token weighs the same on every device"),
    "completion_only_loss": Forced(value=True, why="the loss is on the output alone"),
    "dataloader_drop_last": Forced(value=False, why="rows would be lost without being counted"),
    "dataloader_in_order": Forced(value=True, why="the order of the rows is part of the mixture"),
    "dataset_kwargs": Forced(value={"skip_prepare_dataset": True}, why="the rows are tokens already"),
    "eval_packing": Forced(value=False, why="--packing decides how validation rows lie too"),
    "ignore_data_skip": Forced(value=False, why="a resumed run would see its first rows twice and its last ones never"),
    "logging_nan_inf_filter": Forced(value=False, why="it hides losses that are not finite"),
    "packing_strategy": Forced(value="bfd", why="rows are packed here, by best fit, before TRL sees them"),
    "padding_free": Forced(value=False, why="--packing decides it: packed rows have no filling, others have"),
    "remove_unused_columns": Forced(value=True, why="where a row comes from is not for the model"),
    "shuffle_dataset": Forced(value=False, why="the mixture is shuffled already, by its own seed"),
    "train_sampling_strategy": Forced(value="sequential", why="the order of the rows is part of the mixture"),
    "use_cache": Forced(value=False, why="a cache of keys and values has no use in training"),
}

CAUSAL_ONLY = {
    "activation_offloading": "TRL's own trainer alone does this",
    "loss_type": "TRL's own trainer alone has another loss",
    "packing": "a row has one prompt for the encoder, which the decoder would see behind every completion",
    "router_aux_loss_coef": "TRL's own trainer alone balances experts",
}
"""Fields that mean nothing for an encoder-decoder: refused there unless they have their default."""

_DEPRECATED = "TRL has deprecated it, and it costs a second forward pass or changes the loss in silence"
_EVALUATION = "evaluations are this kit's own, in the precision of the steps: see --eval_strategy and --held_out_rows"
_HUB = "nothing leaves this machine; upload the folder yourself when you have looked at it"
_IGNORED = "nothing here reads it"
_SHARDED = "accelerate is set up for it: accelerate launch --config_file examples/accelerate/fsdp2.yaml"
_TOKENS = "the rows are tokens before TRL sees them"

REFUSED = {
    "accelerator_config": "how rows are laid out over processes is fixed, so that the order holds",
    "auto_find_batch_size": "it changes the batch size in the middle of a run; set --per_device_train_batch_size",
    "batch_eval_metrics": _EVALUATION,
    "bf16_full_eval": _EVALUATION,
    "chat_template_path": "the chat layout is the tokenizer's own template; give it another one and save it",
    "data_seed": "the order of the rows is the mixture's; set `seed` there",
    "dataset_num_proc": _TOKENS,
    "dataset_text_field": _TOKENS,
    "do_eval": _EVALUATION,
    "do_predict": _EVALUATION,
    "do_train": _IGNORED,
    "eos_token": "the stop token is the layout's: what the chat template ends a turn with, else the tokenizer's own",
    "eval_accumulation_steps": _EVALUATION,
    "eval_do_concat_batches": _EVALUATION,
    "eval_use_gather_object": _EVALUATION,
    "fp16_full_eval": _EVALUATION,
    "fsdp": _SHARDED,
    "fsdp_config": _SHARDED,
    "hub_always_push": _HUB,
    "hub_model_id": _HUB,
    "hub_private_repo": _HUB,
    "hub_revision": _HUB,
    "hub_strategy": _HUB,
    "hub_token": _HUB,
    "include_for_metrics": _EVALUATION,
    "label_names": "the labels are the column `labels` of the token shards",
    "label_smoothing_factor": _DEPRECATED,
    "length_column_name": "rows are never grouped by length; their order is the mixture's",
    "liger_kernel_config": _DEPRECATED,
    "local_rank": "accelerate launch and torchrun tell it through the environment",
    "lora_task_type": "it follows from the model",
    "pad_token": _DEPRECATED,
    "parallelism_config": _SHARDED,
    "prediction_loss_only": _EVALUATION,
    "push_to_hub": _HUB,
    "restore_callback_states_from_checkpoint": "no callback here has a state",
    "truncation_mode": "nothing is cut: a pair over max_length is dropped and counted",
    "use_liger_kernel": _DEPRECATED,
}
