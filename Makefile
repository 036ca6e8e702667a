# Everything a newcomer needs: `make run`, `make serve`, `make ui`, `make test`. Each makes .venv first where it is missing.

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run best ablation search claims bench bench-quick explain serve rollback test soak lint ui screenshots

run: $(BIN)/.installed  ## the whole pipeline, from raw reviews to the evaluated champion
	@echo "== dvc repro: download, tokenize, search, train, compare, register, evaluate"
	@# DVC follows files and params.yaml: that a mirror is named which was not before, or that the hub is back, it cannot see
	@if grep -qs '"dataset": "sample"' data/raw/dataset.json; then \
		if [ -n "$$IMDB_MIRROR" ] && grep -q '^  source: auto' params.yaml; then \
			echo "== a mirror of IMDB is named: it takes the sample's place"; dvc repro --force --single-item download; \
		else echo "== on the sample, not IMDB, as before; to ask the hub again: dvc repro --force --single-item download"; fi; fi
	dvc repro

best: $(BIN)/.installed  ## the best model there is, from pre-training to the evaluated champion; says first how long it will take
	@if [ ! -d data/tokens ]; then echo "== the reviews are not here yet: dvc repro tokenize"; dvc repro tokenize; fi
	python -m pipeline.forecast
	dvc repro best/dvc.yaml

search: $(BIN)/.installed  ## a search as a job: make search ARCH=bilstm TRIALS=50, on as many machines as share OPTUNA_STORAGE
	@if [ -z "$(ARCH)" ]; then echo "error: name an architecture of params.yaml: make search ARCH=bilstm TRIALS=50"; exit 1; fi
	@if [ ! -d data/tokens ]; then echo "== the reviews are not here yet: dvc repro tokenize"; dvc repro tokenize; fi
	python -m pipeline.search $(ARCH) $(if $(TRIALS),--trials $(TRIALS))

claims: $(BIN)/.installed  ## what the documents claim, measured: reports/claims.md; stopped, the same command goes on
	@if [ ! -d data/tokens ]; then echo "== the reviews are not here yet: dvc repro tokenize"; dvc repro tokenize; fi
	python -m pipeline.claims

ablation: $(BIN)/.installed  ## what each part of the best model's recipe is worth: reports/ablation.md; stopped, the same command goes on
	dvc repro best/dvc.yaml:pretrain best/dvc.yaml:teach-best
	python -m pipeline.ablation

bench: $(BIN)/.installed .keras-venv/.installed  ## how fast it is, against Keras and bare loops: docs/performance.md; most of an hour
	python -m benchmarks

bench-quick: $(BIN)/.installed .keras-venv/.installed  ## three minutes of it, against what was kept last: fails where it became slower
	python -m benchmarks --quick

# a review may hold quotes, dollars, backticks: it goes to the shell through the environment, as it is
export REVIEW := $(value TEXT)
unexport TEXT
explain: $(BIN)/.installed  ## gates, states and prediction word by word: make explain TEXT="...", other models by MODEL=gru
	@sentiment-rnn explain $(if $(MODEL),--model $(MODEL)) $(if $(OUT),--out $(OUT)) -- "$$REVIEW"

test: $(BIN)/.installed  ## the tests, a quarter of an hour on two cores
	@echo "== pytest: the tests, a quarter of an hour on two cores, in two processes of one thread"
	OMP_NUM_THREADS=1 pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

soak: $(BIN)/.installed  ## the endurance tests
	pytest -m soak

lint: $(BIN)/.installed  ## lint, format check, type check
	ruff check
	ruff format --check
	mypy

ui: $(BIN)/.installed  ## MLflow's pages on http://127.0.0.1:5000, with links to the runs and the model
	@sentiment-rnn ui

screenshots: $(BIN)/.installed  ## the pictures of docs/mlflow.md, where a pipeline has run on IMDB
	PYTHONPATH=. python docs/screenshots.py

PORT := 5001
serve: $(BIN)/.installed  ## the champion over HTTP, raw text in: http://127.0.0.1:5001/invocations; make serve PORT=5002
	sentiment-rnn serve --port $(PORT)

rollback: $(BIN)/.installed  ## the version before is champion again: make rollback REASON="why"
	sentiment-rnn rollback $(if $(REASON),--reason "$(REASON)")

$(BIN)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: $(PYTHON) is older than Python 3.11: name a newer one, make PYTHON=python3.12 ..."; exit 1; }
	@echo "== making .venv and installing what constraints.txt pins (a few minutes, once)"
	$(PYTHON) -m venv .venv
	pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

.keras-venv/.installed: benchmarks/keras-requirements.txt
	@echo "== making .keras-venv: Keras and TensorFlow, for the benchmarks alone"
	$(PYTHON) -m venv .keras-venv
	.keras-venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
