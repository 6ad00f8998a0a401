# Outpost. `make run` and `make test` do everything on a fresh Debian 12 or Raspberry Pi OS (64 bit).
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The system's Python, where Raspberry Pi OS keeps picamera2; any other by `make PYTHON=…`.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE :=
RUN_ARGS ?=

SETUP := .setup
DASHBOARD := $(shell find dashboard -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
STATIC := hub/web/static/index.html
VM := build/vm/micropython.wasm

# --- what people call ---------------------------------------------------------------------------------

.PHONY: help run test test-quick soak check format bench hil screenshot wheel sbom lock clean
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(SETUP)/run ## Install what is missing, start the hub, print a link that opens its dashboard
	@$(BIN)/outpost run --demo $(RUN_ARGS)

test: $(SETUP)/dev check ## Install what is missing and run every test
	$(BIN)/npm --prefix dashboard test
	$(BIN)/pytest tests -n 2 --dist loadfile
	@echo "every page of the dashboard, as it looked: build/screenshots"
	$(BIN)/pytest hil/suite -p hil.plugin

# Their files are in memory where there is such a folder: none of these tests cuts the power or kills. `make test`
# has them on the disk, as a hub has. Three workers on two cores, as they wait half of their time.
test-quick: $(SETUP)/dev ## The tests that need no process of their own, under a minute
	$(if $(wildcard /dev/shm),PYTEST_DEBUG_TEMPROOT=/dev/shm) $(BIN)/pytest tests -m 'not slow and not e2e' \
		-n 3 --dist loadfile -o tmp_path_retention_policy=failed

soak: $(SETUP)/dev ## The long forms of the proofs that nothing is lost (50 kills, 100 replugs, a million bad frames)
	OUTPOST_SOAK=1 $(BIN)/pytest tests/e2e/test_no_loss.py tests/e2e/test_board_on_broker.py tests/test_replugs.py tests/test_noise.py tests/test_outage.py tests/test_flash_cuts.py tests/test_trial.py tests/test_update.py tests/test_firmware_day.py tests/test_mqtt_firmware.py \
		tests/test_store_power_cut.py tests/test_store_daychunk.py tests/test_query_memory.py tests/test_expiry.py tests/test_import_csv.py \
		tests/test_openapi_fuzz.py tests/test_commands_synced.py

check: $(SETUP)/dev ## Formatting, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file firmware/mypy.toml
	sed 's/typings-rp2/typings-esp32/' firmware/mypy.toml > build/mypy-esp32.toml
	$(BIN)/mypy --config-file build/mypy-esp32.toml
	$(BIN)/lint-imports
	$(BIN)/npm --prefix dashboard run check

format: $(SETUP)/dev ## Format everything
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/npm --prefix dashboard run format

bench: $(SETUP)/dev ## Measure what README quotes (BENCH=latency for one)
	$(BIN)/python -m bench $(BENCH)

hil: $(SETUP)/dev ## The hardware-in-the-loop suite: virtual, or PORT=/dev/ttyACM0 for a real board
	$(BIN)/pytest hil/suite -p hil.plugin $(if $(PORT),--port $(PORT))

screenshot: $(SETUP)/dev ## Take README's pictures anew, from a running demo
	$(BIN)/python scripts/screenshot.py

wheel: $(SETUP)/run ## Build the wheel, with the dashboard and the firmware inside
	$(BIN)/pip wheel -q --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

sbom: $(SETUP)/run $(SETUP)/sbom ## Write what the hub and its dashboard are made of, as CycloneDX: build/sbom/*.cdx.json
	@scripts/sbom.sh build/sbom
	@ls build/sbom/*.cdx.json

lock: ## Lock Python's packages anew, from pyproject.toml (needs uv)
	sh scripts/lock.sh

clean: ## Remove all that was installed or built here (not the data)
	rm -rf .venv $(SETUP) build dist hub/web/static dashboard/node_modules hil/vm/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results

# --- setting up: each step once, and again only when what it reads has changed ------------------------

$(SETUP)/run: $(SETUP)/python $(STATIC) $(VM)
	@touch $@

$(SETUP)/dev: $(SETUP)/run $(SETUP)/apt-dev $(SETUP)/python-dev $(SETUP)/homeassistant $(SETUP)/picamera2 $(SETUP)/sbom build/typings-rp2/.done build/typings-esp32/.done
	@touch $@

$(SETUP)/apt: scripts/apt.sh Makefile
	@mkdir -p $(SETUP)
	@scripts/apt.sh required python3 python3-venv
	@scripts/apt.sh wanted mosquitto mosquitto-clients
	@touch $@

$(SETUP)/apt-dev: scripts/apt.sh Makefile
	@ASLEEP='nginx caddy coturn' scripts/apt.sh required 'chromium|chromium-browser' coturn fonts-liberation libatomic1 mosquitto mosquitto-clients systemd \
		caddy curl gcc gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good libcap-dev nginx openssl python3-dev python3-gi strace
	@scripts/apt.sh wanted libnginx-mod-nchan
	@touch $@

# With picamera2 on the system (Raspberry Pi OS), the environment sees the system's packages.
.venv/pyvenv.cfg: $(SETUP)/apt
	@echo "outpost: making .venv"
	@$(PYTHON) -m venv $$($(PYTHON) -c 'import picamera2' 2>/dev/null && echo --system-site-packages) .venv
	@touch $@

$(SETUP)/python: requirements/run.txt pyproject.toml .venv/pyvenv.cfg
	@echo "outpost: installing Python packages"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(SETUP)/python-dev: requirements/dev.txt $(SETUP)/python
	@echo "outpost: installing development packages"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# Not `npm ci`: it refuses a lock file without the packages of platforms that a mirror does not carry.
# `install --no-save` takes the same locked versions, checks the same hashes and changes no file.
dashboard/node_modules/.package-lock.json: dashboard/package-lock.json $(SETUP)/python
	@echo "outpost: installing npm packages"
	@cd dashboard && npm install --no-save --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(STATIC): dashboard/node_modules/.package-lock.json $(DASHBOARD)
	@echo "outpost: building the dashboard"
	@cd dashboard && npm run --silent build
	@touch $@

$(VM): $(SETUP)/python requirements/board.txt
	@echo "outpost: building the virtual board's MicroPython"
	@$(BIN)/python -m hil.vm build
	@touch $@

# Home Assistant's recorder writes what `outpost import` is tried on. It pins all it needs, so it gets an environment
# of its own; where a wheel is missing for this Python, those tests are skipped.
$(SETUP)/homeassistant: requirements/homeassistant.txt $(SETUP)/python
	@echo "outpost: installing Home Assistant's recorder for the tests of the import"
	@rm -rf build/homeassistant && $(PYTHON) -m venv build/homeassistant && \
		build/homeassistant/bin/pip install -q --disable-pip-version-check --require-hashes -r $< || \
		{ rm -rf build/homeassistant; echo "outpost: Home Assistant does not install on this Python; its tests are skipped"; }
	@touch $@

# picamera2 without libcamera, which is a package of Raspberry Pi OS alone and which the tests put a stub for.
$(SETUP)/picamera2: requirements/picamera2.txt $(SETUP)/python $(SETUP)/apt-dev
	@echo "outpost: installing picamera2 for the tests of the Pi's camera"
	@rm -rf build/picamera2 && \
		$(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes --target build/picamera2 -r $< || \
		{ rm -rf build/picamera2; echo "outpost: picamera2 does not install on this Python; its tests are skipped"; }
	@touch $@

# What writes the bill of materials is no part of the hub, nor of what it is tested with: an environment of its own.
$(SETUP)/sbom: requirements/sbom.txt $(SETUP)/python
	@echo "outpost: installing what writes the bill of materials"
	@rm -rf build/sbom-tools && $(PYTHON) -m venv build/sbom-tools
	@build/sbom-tools/bin/pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

build/typings-%/.done: requirements/stubs-%.txt $(SETUP)/python
	@echo "outpost: installing type stubs for $* boards"
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes --upgrade --target $(@D) -r $<
	@touch $@
