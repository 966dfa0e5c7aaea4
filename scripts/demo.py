"""The whole path in minutes: mixture, tuning, measurement. python scripts/demo.py --help."""

from instruction_kit.demo import main

if __name__ == "__main__":
    main()
