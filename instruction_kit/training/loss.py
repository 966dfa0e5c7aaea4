"""The loss with what TRL lacks: tokens that weigh differently, and what each task and cluster contributes.

TRL's loss is the sum of the log-probabilities that a model gives its labels, over their number. Here the model is
called through a function of this module, which counts each task's share and then weighs the log-probabilities, so that
TRL's own code sums them. Where all tokens weigh the same nothing is weighed, and the loss is TRL's bit by bit. Weights
are brought to a mean of 1 over the tokens of a whole step, on all devices and in all accumulated batches: a loss is
then the weighted mean, whatever the weights' own size.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from instruction_kit.token.row import IGNORED

Batch = Mapping[str, Any]


class TaskLosses:
    """Sums of the loss and numbers of its tokens, by task, since they were last taken.

    Attributes:
        names: the tasks, by their place in `task_ids`.
        clusters: task -> cluster.

    """

    def __init__(self, names: Sequence[str], clusters: Mapping[str, str]) -> None:
        self.names = list(names)
        self.clusters = {name: clusters[name] for name in self.names}
        self._sums: torch.Tensor | None = None

    def add(self, log_probs: torch.Tensor, labels: torch.Tensor, task_ids: torch.Tensor) -> None:
        """Count the tokens of a batch; the first token of each row has no log-probability."""
        trained = labels[..., 1:] != IGNORED
        tasks = task_ids[..., 1:][trained]
        values = torch.stack([-log_probs.detach()[trained].float(), torch.ones_like(tasks, dtype=torch.float32)])
        if self._sums is None:
            self._sums = values.new_zeros((2, len(self.names)))
        self._sums.index_add_(1, tasks, values)

    def take(self, reduce: Callable[[torch.Tensor], torch.Tensor], *, device: torch.device) -> torch.Tensor:
        """Return losses and tokens of all processes, and begin anew."""
        found = self._sums if self._sums is not None else torch.zeros((2, len(self.names)), device=device)
        self._sums = None
        return reduce(found).double().cpu()

    def told(self, sums: torch.Tensor, prefix: str, *, whole: bool = False) -> dict[str, float]:
        """Name the mean over tokens of each task and each cluster that has any, and of all where that is asked."""
        losses, tokens = sums.tolist()
        found = {prefix: (sum(losses), sum(tokens))} if whole else {}
        found |= {f"{prefix}_task/{name}": (losses[i], tokens[i]) for i, name in enumerate(self.names)}
        for cluster in sorted(set(self.clusters.values())):
            members = [i for i, name in enumerate(self.names) if self.clusters[name] == cluster]
            found[f"{prefix}_cluster/{cluster}"] = (sum(losses[i] for i in members), sum(tokens[i] for i in members))
        return {name: loss / count for name, (loss, count) in found.items() if count}


def counted_and_weighed(
    model: Callable[..., Any], beside: Batch, losses: TaskLosses, *, scale: torch.Tensor | None
) -> Callable[..., Any]:
    """Make the function that TRL's loss calls in the place of a model.

    Args:
        model: what it calls in turn.
        beside: what stands beside the batch: tasks, and weights where there are any.
        losses: where each task's share is counted.
        scale: what brings the weights of the whole step to a mean of 1; None: those of this batch are brought there.

    """

    def call(**inputs: Any) -> Any:
        outputs = model(**inputs)
        losses.add(outputs.log_probs, inputs["labels"], beside["task_ids"])
        if "loss_weights" in beside:
            weights = beside["loss_weights"]
            factor = scale_of([{"labels": inputs["labels"], **beside}]) if scale is None else scale
            outputs.log_probs = outputs.log_probs * (weights[..., 1:] * factor).to(outputs.log_probs.device)
        return outputs

    return call


def mass_and_count(batches: Sequence[Batch]) -> torch.Tensor:
    """Sum the weights of the trained tokens of some batches, and count these tokens."""
    found = []
    for batch in batches:
        trained = batch["labels"][..., 1:] != IGNORED
        weights = batch["loss_weights"][..., 1:]
        found.append(torch.stack([weights[trained].sum(), trained.sum().to(weights.dtype)]))
    return torch.stack(found).sum(0)


def scale_of(batches: Sequence[Batch], gather: Callable[[torch.Tensor], torch.Tensor] | None = None) -> torch.Tensor:
    """Say what brings the weights of some batches, on all processes, to a mean of 1."""
    found = mass_and_count(batches)
    if gather is not None:
        found = gather(found)
    mass, count = found
    return torch.where(mass > 0, count / mass.clamp(min=torch.finfo(mass.dtype).tiny), torch.ones_like(mass))
