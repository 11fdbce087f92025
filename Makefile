# One word a verb. Use them inside a virtual environment.
.PHONY: install test lint types format demo diagrams ci clean

install:  ## everything that is needed to work on Offhook
	python -m pip install -c constraints.txt -e '.[dev]'

test:  ## all tests
	python -m pytest

lint:  ## style and likely mistakes
	ruff check
	ruff format --check

types:  ## mypy, strict
	mypy

format:  ## put the code into its one layout
	ruff check --fix
	ruff format

demo:  ## a whole call, on this machine, without a key
	offhook demo

diagrams:  ## draw the pictures in docs/ from the tables in src/
	python scripts/draw_turns.py

ci:  ## what must pass before a change is taken
	.ci/run

clean:  ## remove what the tools leave behind
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests scripts -name __pycache__ -prune -exec rm -rf {} +
