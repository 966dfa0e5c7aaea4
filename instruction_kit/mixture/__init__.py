"""What goes in, how much of it, how it is prompted, and what is held out."""

from instruction_kit.mixture.exemplars import Exemplars
from instruction_kit.mixture.mixture import Mixture
from instruction_kit.mixture.rate import Budget, Equal, ExamplesProportional, FixedWeights, Temperature

__all__ = ["Budget", "Equal", "ExamplesProportional", "Exemplars", "FixedWeights", "Mixture", "Temperature"]
