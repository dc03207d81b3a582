"""The command line as ``python -m ecg_lessons``: the code of this folder, whatever is installed."""

from ecg_lessons.cli import main

if __name__ == "__main__":
    main()
