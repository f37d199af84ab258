# make run and make test work on a fresh clone with nothing but Python 3.11 or newer (and make itself).

PYTHON ?= python3
VENV ?= .venv
ADDRESS ?= 127.0.0.1
PORT ?= 8501
ARGS ?=
# One more than there are cores, since some tests wait for a job or a page; two where more of them do.
WORKERS ?= $(shell expr $(if $(THOROUGH)$(SLOW),2,1) + $$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN))
SERVERS ?= 2

# Modules stay compiled, whatever the environment says: every server and job would compile them again.
export PYTHONDONTWRITEBYTECODE :=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --retries 5 --timeout 60
# A registry may hiccup for longer than pip's own retries last.
install = for try in 1 2 3; do $(PIP) install --quiet $(1) && break; \
	if [ $$try = 3 ]; then echo "Could not pip install $(1); is the network reachable?" >&2; exit 1; fi; sleep 10; done

LINT = $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/hadolint Dockerfile

.DEFAULT_GOAL := help
.PHONY: help run dev serve docs lock wheels test test-thorough test-slow coverage lint bench demo-results screenshots clean browser

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-13s %s\n", $$1, $$2}'

SERVE = $(BIN)/streamlit run serve.py --server.address $(ADDRESS) --server.port $(PORT) --server.headless true

run: $(VENV)/.installed ## Open the dashboard on http://127.0.0.1:8501 (PORT=…, ADDRESS=…)
	$(SERVE) $(ARGS)

serve: $(VENV)/.installed ## The same for many: SERVERS=2 behind nginx (BASE=/path/ CERTIFICATE=… KEY=… PROXY=…; docs/hosting.md)
	$(BIN)/python -m hosting --servers $(SERVERS) --address $(ADDRESS) --port $(PORT) --base "$(BASE)" \
		--certificate "$(CERTIFICATE)" --key "$(KEY)" --proxy "$(PROXY)" $(ARGS)

dev: $(VENV)/.installed ## The same for who changes the code: a page runs anew when a file is saved
	$(SERVE) --server.fileWatcherType auto --server.runOnSave true $(ARGS)

# A file's tests share servers and results, so they stay on one worker, in the order of tests/conftest.py;
# WORKERS=0 runs all in one process (--pdb).
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.installed-dev browser ## Lint, types and the quick tests (ARGS="-k store" for some; NO_BROWSER=1 without Chromium)
	$(BIN)/python -m tests.compiled & { $(LINT); } && wait $$!
	$(PYTEST) $(if $(SLOW),--slow,$(if $(THOROUGH),--thorough)) $(if $(NO_BROWSER),-m "not browser") $(ARGS)

test-thorough: THOROUGH = 1
test-thorough: test ## The same as make test THOROUGH=1: all that must pass before a change lands, as .ci/run has it

test-slow: SLOW = 1
test-slow: test ## All tests: also those that take minutes (every family of networks, more photographs)

coverage: $(VENV)/.installed-dev browser ## Which lines the tests run, into coverage/: a page, and total.txt (ARGS="tests/store" for some)
	mkdir -p coverage
	$(PYTEST) --cov --cov-report=html:coverage $(if $(NO_BROWSER),-m "not browser") $(ARGS)
	$(BIN)/python -m coverage report --format=total | tee coverage/total.txt

lint: $(VENV)/.installed-dev ## Lint, format and types only
	$(LINT)

bench: $(VENV)/.installed ## Time a profile against bare forward passes (ARGS="--network … --dataset …")
	$(BIN)/python -m interpret_core bench profile $(ARGS)

demo-results: $(VENV)/.installed ## Compute and pack the demo's results anew (hours on two cores; ARGS="--cache FOLDER" goes on)
	$(BIN)/python -m demo.results $(ARGS)

docs: $(VENV)/.installed-docs ## Build the documents as a site, into site/; the dashboard then serves it under /docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet $(ARGS)

lock: $(BIN)/python ## Write requirements.lock anew, after a change of requirements.txt
	$(BIN)/python -m hosting.lock

wheels: $(BIN)/python ## Build what others install, into dist/: the program, and the demo of 73 MB (docs/hosting.md)
	$(PIP) wheel --quiet --no-deps --wheel-dir dist . ./demo

screenshots: $(VENV)/.installed-dev browser ## Take the README's pictures anew, into docs/pictures (ARGS="--out FOLDER")
	$(BIN)/python -m demo.screenshots $(ARGS)

clean: ## Delete the virtual environment and tool caches; results in cache/ stay
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# Stamps: installed again only when a list of requirements changes.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Unitscope needs Python 3.11 or newer; set PYTHON=…" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian: apt-get install python3-venv" >&2; exit 1; }

# What is locked comes with its hashes; then torch and what it needs, in the build that fits the machine.
$(VENV)/.installed: requirements.txt requirements.lock | $(BIN)/python
	@$(call install,--require-hashes --no-deps -r requirements.lock)
	@$(call install,-r requirements.txt)
	@touch $@

$(VENV)/.installed-docs: requirements-docs.txt $(VENV)/.installed | $(BIN)/python
	@$(call install,-r requirements-docs.txt)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-docs.txt requirements.txt requirements.lock | $(BIN)/python
	@$(call install,--require-hashes --no-deps -r requirements.lock)
	@$(call install,-r requirements-dev.txt)
	@touch $(VENV)/.installed $(VENV)/.installed-docs $@

browser:
	@if [ -n "$(NO_BROWSER)" ]; then exit 0; fi; \
	for name in chromium-headless-shell chromium chromium-browser google-chrome; do \
		command -v $$name >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; \
		apt-get install -y -qq --no-install-recommends chromium-headless-shell || \
			apt-get install -y -qq --no-install-recommends chromium; \
	else \
		echo "The browser tests need Chromium: install it, or run make test NO_BROWSER=1 without them." >&2; exit 1; \
	fi
