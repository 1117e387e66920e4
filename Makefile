# Targets for developers. Each one installs what it needs, once.
PYTHON ?= python3
BIN := .venv/bin
STAMPS := .cache/stamps
DEMO_HOOKS := demo_site/neuralens_demo/shop_hooks.py
SOURCES := $(shell find tracker build/neuralens_build $(DEMO_HOOKS) -name '*.py' -o -name '*.cjs' -o -name '*.js' 2>/dev/null)

# Several workers, each with its own browser, relay and sandbox; disabled by make test ARGS=-n0.
PYTEST := $(BIN)/pytest --numprocesses=auto --dist=worksteal

# With it, each worker would compile every test again, at each run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-packages test-faults lock nightly build bench docs release packages lint format clean
.DELETE_ON_ERROR:

help:
	@echo "make demo           run storefront, relay, sandbox and inspector on one address"
	@echo "make test           run all tests, including those in real browsers"
	@echo "make test-faults    run the complete fault suite, and update docs/faults.md"
	@echo "make nightly        run slow tests, and repeat the browser tests on Brython and PyScript"
	@echo "make test-packages  test the wheel with the lowest and highest versions, and with frameworks"
	@echo "make lock           update requirements.lock to the newest versions"
	@echo "make build          build the bundles in dist/"
	@echo "make bench          run the benchmarks"
	@echo "make docs           generate the tables in docs/, and the site in site/"
	@echo "make release        build wheel, sdist and npm package in release/, and check them"
	@echo "make packages       build them in release/ without checks"
	@echo "make lint           check format, lint rules, types, import contracts and portability"
	@echo "make format         fix format and lint rules"
	@echo "make clean          delete everything that the other targets created"

demo: $(STAMPS)/venv dist/manifest.json
	@exec $(BIN)/neuralens-tracker demo $(ARGS)

test: $(STAMPS)/venv $(STAMPS)/tests dist/manifest.json
	$(PYTEST) $(ARGS)

test-faults: $(STAMPS)/venv $(STAMPS)/tests dist/manifest.json
	$(PYTEST) -m "not packages" tests/faults $(ARGS)

nightly: $(STAMPS)/venv $(STAMPS)/tests dist/manifest.json
	$(PYTEST) -m nightly $(ARGS)

# The wheel in new environments, with the lowest and highest versions of its ranges. Each file has
# its own, so that one worker runs it.
test-packages: $(STAMPS)/venv $(STAMPS)/tests dist/manifest.json
	$(PYTEST) --dist=loadfile -m packages tests/packages $(ARGS)

# The newest versions that the ranges of pyproject.toml allow, for development.
lock: $(STAMPS)/venv
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
		--all-extras --group dev --no-emit-package neuralens-tracker --no-emit-index-url \
		--no-emit-find-links --no-annotate --custom-compile-command "make lock" \
		--output-file requirements.lock

build: dist/manifest.json

bench: $(STAMPS)/venv $(STAMPS)/tests dist/manifest.json
	$(BIN)/python -m bench $(ARGS)

docs: $(STAMPS)/venv dist/manifest.json
	$(BIN)/python docs/reference.py
	@rm -rf site
	$(BIN)/zensical build --strict

# The published artifacts, checked as far as possible on this machine.
release: $(STAMPS)/venv $(STAMPS)/tests dist/manifest.json
	$(BIN)/python build/release.py

# The same artifacts, within a minute.
packages: $(STAMPS)/venv dist/manifest.json
	$(BIN)/python build/release.py --unchecked

lint: $(STAMPS)/venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .cache/imports
	$(BIN)/python -m neuralens_build.subset

format: $(STAMPS)/venv
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv node_modules dist release site .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMPS)/venv: pyproject.toml requirements.lock build/machine.sh
	@sh build/machine.sh python "$(PYTHON)"
	@echo "Setting up the Python environment in .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade 'pip==26.3'
	@$(BIN)/python -m pip install --quiet --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/npm: package.json package-lock.json build/machine.sh
	@sh build/machine.sh node
	@echo "Installing the npm packages"
	@# Not "npm ci": a lock file cannot name the compiler's builds for other systems than its own.
	@npm install --no-save --silent --no-audit --no-fund
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/tests: build/machine.sh
	@sh build/machine.sh tests
	@mkdir -p $(STAMPS) && touch $@

dist/manifest.json: $(STAMPS)/venv $(STAMPS)/npm $(SOURCES)
	@echo "Building the bundles"
	@# Both at once. If one fails, there is no manifest, which says that all is there.
	@$(BIN)/neuralens-tracker build --output dist/demo --with $(DEMO_HOOKS) >/dev/null & \
		$(BIN)/neuralens-tracker build; own=$$?; wait $$! && exit $$own
	@cp node_modules/chart.js/dist/chart.umd.min.js dist/demo/chart.js
	@mkdir -p dist/verify
	@cp node_modules/@duckduckgo/autoconsent/dist/autoconsent.playwright.js dist/verify/autoconsent.js
	@cp node_modules/@duckduckgo/autoconsent/rules/rules.json dist/verify/autoconsent.json
	@cp node_modules/@duckduckgo/autoconsent/LICENSE dist/verify/autoconsent.LICENSE
