"""FLAN's four directional checks, for any base model: python scripts/experiments/flan.py --help."""

from instruction_kit.experiment.flan import main

if __name__ == "__main__":
    main()
