"""What the project costs, measured: each module prints a table. Run from the project's root with a venv that has it."""
