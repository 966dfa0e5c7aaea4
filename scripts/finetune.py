"""Tune a model on a built mixture.

python scripts/finetune.py --dataset_name OUT --model_name_or_path MODEL --output_dir TUNED
accelerate launch scripts/finetune.py --dataset_name OUT --model_name_or_path MODEL --output_dir TUNED
"""

import sys

from instruction_kit.training.finetune import main

if __name__ == "__main__":
    sys.exit(main())
