# make run        set up and run the main job: two pipelines, trained, evaluated and packaged
#                 (on a GPU: make run EXTRA=cuda12 or EXTRA=cuda13, depending on its driver)
# make test       run the linter, the type checker and the fast tests
# make test-slow  run the slow tests, which train, package, serve and open browsers
# make mutations  break the code on purpose and list the faults that no test notices
# make corpus     convert the four public corpora
# make fix        format the code and write the generated parts of the documentation
# make bundle     collect everything that a GPU machine without a network needs
# make clean      remove the workflow's output; .venv and assets/ stay

PYTHON ?= python3
VENV ?= .venv
EXTRA ?=
BUNDLE ?=
COMMA := ,
BIN := $(VENV)/bin
CONSTRAINTS := constraints$(if $(EXTRA),/$(EXTRA)).txt
# marks of an installation with another EXTRA
STALE = $(filter-out $(VENV)/.run$(EXTRA) $(VENV)/.test$(EXTRA),$(wildcard $(VENV)/.run* $(VENV)/.test*))

PYTEST := $(BIN)/python -m pytest -n 2

.PHONY: run test test-slow mutations corpus bundle fix clean

run: $(VENV)/.run$(EXTRA)
	$(BIN)/python -m spacy project run all

test: $(VENV)/.test$(EXTRA)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/.test$(EXTRA)
	$(PYTEST) --dist loadgroup -m slow

mutations: $(VENV)/.test$(EXTRA)
	$(BIN)/python -m tests.mutate

corpus: $(VENV)/.run$(EXTRA)
	$(BIN)/python -m spacy project run corpus

fix: $(VENV)/.test$(EXTRA)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m spacy project document --output docs/workflow.md
	sed -i.bak 's|(project.yml)|(../project.yml)|' docs/workflow.md && rm docs/workflow.md.bak
	$(BIN)/python -m scripts.write_results

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

# seqeval is a source package; PIP_CONSTRAINT also covers its build requirements
$(VENV)/.test$(EXTRA): pyproject.toml $(CONSTRAINTS) constraints/base.txt | $(VENV)/bin/python
	$(if $(STALE),$(BIN)/python -m pip uninstall --quiet --yes cupy-cuda12x cupy-cuda13x)
	PIP_CONSTRAINT='$(CURDIR)/$(CONSTRAINTS)' $(BIN)/python -m pip install --quiet --no-compile -e '.[test$(if $(EXTRA),$(COMMA)$(EXTRA))]' -c $(CONSTRAINTS)
	rm -f $(STALE)
	touch $@
