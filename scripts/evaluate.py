"""Measure a model on a built mixture: python scripts/evaluate.py --help."""

from instruction_kit.evaluation.evaluate import main

if __name__ == "__main__":
    raise SystemExit(main())
