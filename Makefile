# `make help` lists the targets; each makes .venv first where it is missing.

export PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

# What a person fills in reaches the programs as it is, through the environment: neither make nor the shell expands it.
unexport TEXT REASON ARCH TRIALS MODEL OUT VERSION PORT QUICK
$(foreach name,$(.VARIABLES),$(if $(findstring command,$(origin $(name))),\
	$(eval override export $(name) := $$(value $(name)))))

# The programs of an environment have the path of its folder: one that was moved or copied here is made again.
$(foreach stamp,$(BIN)/.installed .keras-venv/.installed,\
	$(shell [ "$$(cat $(stamp) 2>/dev/null)" = "$$(pwd -P)" ] || rm -f $(stamp)))

.DEFAULT_GOAL := help
.PHONY: help install demo run best compare search claims ablation bench bench-quick predict explain serve ui promote rollback \
	test soak check-docs lint screenshots

help:  ## list the targets
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / {printf "  %-13s%s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(BIN)/.installed  ## make .venv with the pinned packages; every command does so first

demo: $(BIN)/.installed  ## the whole pipeline on synthetic reviews, in demo/: three minutes on two cores, no download
	@sentiment-rnn demo

run: $(BIN)/.installed  ## the whole pipeline on IMDB; where IMDB cannot be downloaded, the demo
	@sentiment-rnn run

best: $(BIN)/.installed  ## the registered model only: its training, registration and evaluation
	@sentiment-rnn run evaluate

compare: $(BIN)/.installed  ## the family of architectures and the linear baselines only, compared on test and on the behaviour suite
	@sentiment-rnn run compare behaviour

search: $(BIN)/.installed  ## a larger search: make search ARCH=bilstm TRIALS=50; with RAY_ADDRESS on a Ray cluster
	@sentiment-rnn run word_vectors
	@python -m pipeline.search $${TRIALS:+--trials "$$TRIALS"} -- "$$ARCH"

claims: $(BIN)/.installed  ## measure common claims about the architectures: reports/claims.md, hours, resumes; QUICK=1: ten minutes
	@sentiment-rnn run word_vectors
	@python -m pipeline.claims $${QUICK:+--quick}

ablation: $(BIN)/.installed  ## the effect of each component of the best model: reports/ablation.md; resumes where it was stopped
	@sentiment-rnn run word_vectors pseudo_label_best
	python -m pipeline.ablation

bench: $(BIN)/.installed .keras-venv/.installed  ## measure the speed, beside Keras and plain loops: docs/performance.md; half an hour
	python -m benchmarks

bench-quick: $(BIN)/.installed .keras-venv/.installed  ## three minutes of it; fails where it became slower
	python -m benchmarks --quick

predict: $(BIN)/.installed  ## label a review: make predict TEXT="..."
	@sentiment-rnn predict -- "$$TEXT"

explain: $(BIN)/.installed  ## gates and states word by word: make explain TEXT="..." [MODEL=gru] [OUT=plot.png]
	@sentiment-rnn explain $${MODEL:+--model "$$MODEL"} $${OUT:+--out "$$OUT"} -- "$$TEXT"

serve: $(BIN)/.installed  ## serve the champion on http://127.0.0.1:5001/: a page to type into, POST /invocations; make serve PORT=5002
	@sentiment-rnn serve $${PORT:+--port "$$PORT"}

ui: $(BIN)/.installed  ## MLflow's pages on http://127.0.0.1:5000; make ui PORT=5005
	@sentiment-rnn ui $${PORT:+--port "$$PORT"}

promote: $(BIN)/.installed  ## make a version the champion: make promote VERSION=3 REASON="why"
	@sentiment-rnn promote $${REASON:+--reason "$$REASON"} -- "$$VERSION"

rollback: $(BIN)/.installed  ## make the previous champion the champion again: make rollback REASON="why"
	@sentiment-rnn rollback $${REASON:+--reason "$$REASON"}

test: $(BIN)/.installed  ## the tests: seven minutes on two cores
	OMP_NUM_THREADS=1 pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

soak: $(BIN)/.installed  ## the endurance tests
	pytest -m soak

check-docs: $(BIN)/.installed  ## compare the figures in the documents with the reports that they come from
	python docs/figures.py

lint: $(BIN)/.installed  ## lint, format check, type check
	ruff check
	ruff format --check
	mypy

screenshots: $(BIN)/.installed  ## the screenshots of docs/mlflow.md, after a run on IMDB
	PYTHONPATH=. python docs/screenshots.py

$(BIN)/.installed: pyproject.toml constraints.txt
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: $$PYTHON is not Python 3.11 or newer: name one, make PYTHON=python3.12 ..."; exit 1; }
	@echo "== making .venv and installing what constraints.txt pins (a few minutes, once)"
	"$$PYTHON" -m venv $$([ -e $@ ] || echo --clear) .venv
	pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@pwd -P > $@

.keras-venv/.installed: benchmarks/keras-requirements.txt
	@echo "== making .keras-venv: Keras and TensorFlow, for the benchmarks alone"
	"$$PYTHON" -m venv $$([ -e $@ ] || echo --clear) .keras-venv
	.keras-venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@pwd -P > $@
