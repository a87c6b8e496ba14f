# `make run` and `make test` work on a fresh machine: they make .venv themselves.

PYTHON ?= python3
CONFIG ?= etc/netkit.toml
BIN := .venv/bin

# Clients in JavaScript that tests run; `ws` is the WebSocket that older releases of Node lack.
NODE_PACKAGES := nats@2.29.3 nats.ws@1.30.3 ws@8.23.0

# Root is shed as a start from systemd would shed it; the configuration names no user.
SHED = $(if $(filter 0,$(shell id -u)),--uid=$(shell id -u nobody) --gid=$(shell id -g nobody))

.PHONY: run test bench clean

run: .venv/run etc/tls/localhost.pem
	exec $(BIN)/twistd -n --pidfile= $(SHED) netkit --config $(CONFIG)

test: .venv/test .npm/test
	$(BIN)/python -W error -m twisted.trial --reactor=netkit tests
	$(BIN)/mypy netkit tests benchmarks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: .venv/run
	$(BIN)/python -m benchmarks $(BENCH)

etc/tls/localhost.pem: | .venv/run
	$(BIN)/netkit certificate etc/tls

.venv/run: setup.cfg pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/test: setup.cfg pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ .venv/run

.npm/test: Makefile
	@if command -v npm >/dev/null && npm install --prefix .npm --no-save --no-audit --no-fund \
		--ignore-scripts --loglevel=error $(NODE_PACKAGES); then touch $@; \
	else echo 'netkit: npm is missing, or has failed; tests of clients in JavaScript are skipped'; fi

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || \
		{ echo 'netkit: $(PYTHON) is missing; it needs Python 3.11 or newer'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "netkit: $$($(PYTHON) --version) is too old; it needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'netkit: Python lacks venv; on Debian: apt install python3-venv'; exit 1; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv .venv-bench .npm build dist *.egg-info _trial_temp*
