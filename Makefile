# Two commands: `make lab` opens the first lesson, `make test` runs every test. Both set up what they need.

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,\
            $(if $(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print(1)' 2>/dev/null),$(p))) python3)
WORKERS ?= 2
# TORCH_INDEX=cpu takes torch and torchvision from PyTorch's own index: the small build without CUDA.
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed$(if $(TORCH_INDEX),-$(TORCH_INDEX))
# uv installs the same packages in a fraction of the time; where it cannot be had, pip does.
INSTALL = $(BIN)/python $$($(BIN)/python -c 'import uv' 2>/dev/null \
            && echo "-m uv pip install --python $(BIN)/python" || echo "-m pip install")
OLDEST := build/oldest
OLDEST_TESTS ?= $(addprefix tests/,neurons activations converters simulators exchange datasets plots test_networks.py \
                  test_cli.py training/test_recipes.py studies/test_study.py reports/test_own_notebooks.py explorers/test_explorers.py)
LESSONS = $(wildcard notebooks/[0-9]*.ipynb)

.DEFAULT_GOAL := help
.PHONY: help install lab test test-oldest docs wheel benchmark format clean

help: ## show these lines
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

install: $(STAMP) ## set up .venv with everything (5 GB on Linux; TORCH_INDEX=cpu: the small CPU build)
	@echo "Ready: make lab opens the first lesson, make test runs the tests."

lab: $(STAMP) ## open JupyterLab on the first lesson
	@$(BIN)/snnlab lab

# A worker that dies is not replaced: the new one would begin with the test that ended the old one, again and again.
test: $(STAMP) ## run every test there is, lessons and reports too
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --max-worker-restart 0 --durations 15 --nbval-lax --nbval-current-env tests $(LESSONS)

# Oldest packages warn of what is newer: warnings are no errors here. The tests' own tools and oracles are the newest.
test-oldest: $(STAMP) ## run most tests that need no course with the oldest packages that pyproject.toml allows
	$(BIN)/python -m uv venv --quiet --clear --python 3.11 $(OLDEST)
	$(BIN)/python -m uv pip install --quiet --python $(OLDEST)/bin/python --resolution lowest-direct -e .
	$(BIN)/python -m uv pip install --quiet --python $(OLDEST)/bin/python -e '.[test]'
	$(OLDEST)/bin/python -W ignore -m pytest -o filterwarnings=default $(OLDEST_TESTS)

docs: $(STAMP) ## the documentation as pages in build/docs, the lessons too (some six minutes)
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	$(BIN)/snnlab export --out build/docs/lessons
	@echo "Open build/docs/index.html"

wheel: $(STAMP) ## build the wheel into dist, and run it away from the checkout
	rm -rf build/wheel build/wheel-report dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python -m pip install --quiet --no-deps --target build/wheel dist/snnlab-*.whl
	cd build/wheel && $(abspath $(BIN))/python -m snnlab methods > /dev/null
	cd build/wheel && $(abspath $(BIN))/python -m snnlab report neuron --quiet --out ../wheel-report

benchmark: $(STAMP) ## measure the slider's latency; the result goes into benchmarks/results
	$(BIN)/python -m benchmarks.slider_latency

format: $(STAMP) ## put code and notebooks into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove .venv and every cache; data sets stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find snnlab tests notebooks -name __pycache__ -prune -exec rm -rf {} + -o -name .ipynb_checkpoints -prune -exec rm -rf {} +

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "snnlab needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Install one, or name it: make install PYTHON=/path/to/python3"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) || { \
	  echo "Python could not make $(VENV). On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade uv || echo "uv cannot be installed: going on with pip, which takes longer"
ifneq ($(TORCH_INDEX),)
	$(INSTALL) torch torchvision --index-url https://download.pytorch.org/whl/$(TORCH_INDEX)
endif
	$(INSTALL) -e '.[test]'
	@touch $@
