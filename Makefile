# `make walk` films the shipped policy and trains another one. `make test` checks the project. `make docs` builds the site.
# All need Python 3.11 or later, git and make, and install everything else into .venv.

PYTHON ?= python3
CONFIG ?= walk_amp
VENV := .venv
BIN := $(VENV)/bin
# Each config has its own folder, so that no run is taken for another.
OUT := walk_out$(if $(filter-out walk_amp,$(CONFIG)),/$(subst /,_,$(basename $(CONFIG))))
# Neighboring tests share environments and models, so each worker starts with one half of the suite.
PYTEST := -n 2 --dist worksteal
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet

DURATION := $(if $(filter smoke,$(CONFIG)),about a minute,about a quarter of an hour)

.PHONY: walk docs test test-slow test-ecosystem test-versions fuzz crash soak bits lint types unit clean
.DELETE_ON_ERROR:

walk: $(OUT)/shipped.mp4 $(OUT)/results.json $(OUT)/walk.mp4 $(OUT)/learning_curves.png
	@echo "Done. Your policy: $(OUT)/walk.mp4, $(OUT)/results.json and $(OUT)/learning_curves.png."

test: lint types unit

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

unit: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(PYTEST)

# What takes minutes: trainings that prove that something is learned, whole benchmarks.
test-slow: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(PYTEST) -m slow

# The packages that people bring: each trains for a few steps in the environments.
test-ecosystem: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(PYTEST) -m ecosystem

# The fast tests with the lowest versions that pyproject.toml allows; with RESOLUTION=highest with the newest.
RESOLUTION ?= lowest-direct
VERSIONS := .venv-$(RESOLUTION)
test-versions: $(VENV)/dev.stamp
	$(BIN)/uv venv --quiet --clear --python $(PYTHON) $(VERSIONS)
	$(BIN)/uv pip install --quiet --python $(VERSIONS) --resolution $(RESOLUTION) -e '.[dev]'
	$(VERSIONS)/bin/python -m pytest $(PYTEST)

# Damages N files of each kind that is read, and prints what came of it.
N ?= 1000
fuzz: $(VENV)/dev.stamp
	$(BIN)/python tests/fuzz/trial.py $(N)

# Interrupts each of six commands N times, starts them again, and compares what they have written.
crash: N = 20
crash: $(VENV)/dev.stamp
	$(BIN)/python tests/reliability/interruptions.py $(N)

# Trains with one thread and all, with other work beside it, and from drawn checkpoints: one hash.
bits: $(VENV)/dev.stamp
	$(BIN)/python tests/reliability/bits.py

# Steps and learns for so long, and fails where memory, open files, threads or compilations grow.
MINUTES ?= 60
soak: $(VENV)/dev.stamp
	$(BIN)/python tests/reliability/soak.py $(MINUTES)

# Something to look at first: the shipped policy. Without OpenGL there is no video (exit code 3), and the rest still runs.
$(OUT)/shipped.mp4: | $(VENV)/install.stamp
	@echo "1 of 3: filming the shipped policy, about a minute."
	$(BIN)/wildrobot record walk --command 0.6 --seconds 6 --out $@ --strip $(OUT)/shipped.png || test $$? -eq 3
	@test ! -e $@ || echo "Watch $@ while your own policy trains."

# An interrupted run continues.
$(OUT)/run/final.zip: | $(VENV)/install.stamp $(OUT)/shipped.mp4
	@echo "2 of 3: training $(CONFIG), $(DURATION). Interrupt it at any time; make walk continues it."
	$(BIN)/wildrobot train $(CONFIG) --out $(OUT)/run $(if $(wildcard $(OUT)/run/config.yaml),--resume)

$(OUT)/results.json: $(OUT)/run/final.zip
	@echo "3 of 3: evaluating and filming your policy, a few minutes."
	$(BIN)/wildrobot eval $(OUT)/run --json $@

$(OUT)/walk.mp4: $(OUT)/run/final.zip
	$(BIN)/wildrobot record $(OUT)/run --out $@ --strip $(OUT)/walk.png || test $$? -eq 3

$(OUT)/learning_curves.png: $(OUT)/run/final.zip
	$(BIN)/wildrobot plot $(OUT)/run --out $(OUT)

# The documentation as a website in site/.
docs: $(VENV)/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(VENV)/install.stamp: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or later is needed; try make PYTHON=python3.12')"
	@echo "Installing into $(VENV)/, a few minutes."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e '.[train,motion,viz]'
	touch $@

$(VENV)/dev.stamp: $(VENV)/install.stamp
	$(PIP) -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf walk_out build dist site
