"""`python -m bot` is `ai-admin`."""

from bot.cli import main

if __name__ == "__main__":
    main()
