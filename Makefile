# make run     set up and run the main job: two pipelines, trained, scored and packaged
#              (on a GPU: make run EXTRA=cuda12 or EXTRA=cuda13, as the driver is)
# make test    pass the tests, the linter and the type checker
# make corpus  convert every corpus that can be found
# make fix     format the code and write what is generated in the README
# make bundle  collect what a run needs on a GPU machine without a network
# make clean   remove what the workflow made, but for .venv and what is in assets/

PYTHON ?= python3
VENV ?= .venv
EXTRA ?=
BUNDLE ?=
COMMA := ,
BIN := $(VENV)/bin
CONSTRAINTS := constraints$(if $(EXTRA),/$(EXTRA)).txt
# what is installed with another EXTRA no longer stands
STALE = $(filter-out $(VENV)/.run$(EXTRA) $(VENV)/.test$(EXTRA),$(wildcard $(VENV)/.run* $(VENV)/.test*))

.PHONY: run test corpus bundle fix clean

run: $(VENV)/.run$(EXTRA)
	$(BIN)/python -m spacy project run all

test: $(VENV)/.test$(EXTRA)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

corpus: $(VENV)/.run$(EXTRA)
	$(BIN)/python -m spacy project run corpus

fix: $(VENV)/.test$(EXTRA)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m spacy project document --output README.md
	$(BIN)/python -m scripts.results

bundle: corpus
	$(BIN)/python -m scripts.bundle $(BUNDLE)

clean:
	rm -rf corpus training metrics packages project.lock

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'error: Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ...'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run$(EXTRA): pyproject.toml $(CONSTRAINTS) constraints/base.txt | $(VENV)/bin/python
	$(if $(STALE),$(BIN)/python -m pip uninstall --quiet --yes cupy-cuda12x cupy-cuda13x)
	$(BIN)/python -m pip install --quiet -e '.$(if $(EXTRA),[$(EXTRA)])' -c $(CONSTRAINTS)
	rm -f $(STALE)
	touch $@

# seqeval comes as source; PIP_CONSTRAINT is what also holds for what builds it
$(VENV)/.test$(EXTRA): pyproject.toml $(CONSTRAINTS) constraints/base.txt | $(VENV)/bin/python
	$(if $(STALE),$(BIN)/python -m pip uninstall --quiet --yes cupy-cuda12x cupy-cuda13x)
	PIP_CONSTRAINT='$(CURDIR)/$(CONSTRAINTS)' $(BIN)/python -m pip install --quiet -e '.[test$(if $(EXTRA),$(COMMA)$(EXTRA))]' -c $(CONSTRAINTS)
	rm -f $(STALE)
	touch $@
