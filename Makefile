# Everything a person or a machine does with this project. Needs Python >= 3.11 (with venv), git and make.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
# uv is fast; where it cannot reach the index the way pip can (own certificates, a mirror in pip.conf), pip does it.
define install
$(BIN)/python -m uv pip install --quiet --system-certs --python $(BIN)/python $(1) 2>/dev/null \
	|| $(BIN)/python -m pip install --quiet --disable-pip-version-check $(1)
endef

.PHONY: run test check bench reliability validate docs sbom screenshots lock clean

run: .venv/run.stamp ## demo clinic on http://localhost:$(PORT)
	@$(BIN)/ketaclinic demo --if-empty
	@$(BIN)/ketaclinic serve --demo --port $(PORT)

check: .venv/dev.stamp ## format, lint, types, imports
	$(BIN)/ruff format --check src tests tools benchmarks
	$(BIN)/ruff check src tests tools benchmarks
	$(BIN)/lint-imports
	$(BIN)/mypy

test: .venv/dev.stamp ## everything there is
	$(BIN)/python -m tools.run_tests

bench: .venv/dev.stamp ## benchmarks; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks

reliability: .venv/dev.stamp ## tests that measure; writes docs/reliability.md
	$(BIN)/python -m tools.make_reliability

validate: .venv/dev.stamp ## pharmacokinetic models against published values; writes docs/validation.md
	$(BIN)/python -m tools.make_validation

docs: .venv/dev.stamp ## pages made from the code: rules, map, README parts
	$(BIN)/python -m tools.make_docs

sbom: .venv/dev.stamp ## every library that runs, with its hashes (CycloneDX), in dist/
	$(BIN)/python -m tools.sbom

screenshots: .venv/dev.stamp ## pictures for the README, from a running demo
	$(BIN)/python -m tools.make_screenshots

lock: .venv/bootstrap.stamp ## pins with hashes, without addresses
	$(BIN)/python -m tools.lock $(if $(UPGRADE),--upgrade)

clean: ## the environment; never the data in var/
	rm -rf .venv

.venv/bootstrap.stamp: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Ketaclinic needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing (Debian: apt install python3-venv)."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

.venv/run.stamp: .venv/bootstrap.stamp requirements/run.txt pyproject.toml
	@$(call install,--require-hashes -r requirements/run.txt)
	@$(call install,--no-deps --no-build-isolation -e .)
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	@$(call install,--require-hashes -r requirements/dev.txt)
	@touch $@
