# Two commands: `make walk` shows a robot that learned to walk, `make test` checks the project. Both need Python 3.11 or
# later, git and make, and put everything else into .venv.

PYTHON ?= python3
CONFIG ?= walk_amp
VENV := .venv
BIN := $(VENV)/bin
# Of another config than the default a folder of its own: what lies there is not taken for this one's.
OUT := walk_out$(if $(filter-out walk_amp,$(CONFIG)),/$(subst /,_,$(basename $(CONFIG))))
# Neighboring tests share environments and models, so each worker starts with one half of the suite.
PYTEST := -n 2 --dist worksteal
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet

.PHONY: walk test test-slow lint types unit clean
.DELETE_ON_ERROR:

walk: $(OUT)/results.json $(OUT)/walk.mp4 $(OUT)/learning_curves.png
	@echo "Video, pictures and figures are in $(OUT)/."

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

# A run that was interrupted goes on where it stood.
$(OUT)/run/final.zip: | $(VENV)/install.stamp
	$(BIN)/wildrobot train $(CONFIG) --out $(OUT)/run $(if $(wildcard $(OUT)/run/config.yaml),--resume)

$(OUT)/results.json: $(OUT)/run/final.zip
	$(BIN)/wildrobot eval $(OUT)/run --json $@

# Without OpenGL there is no video (exit code 3), and everything else is still made.
$(OUT)/walk.mp4: $(OUT)/run/final.zip
	$(BIN)/wildrobot record $(OUT)/run --out $@ --strip $(OUT)/walk.png || test $$? -eq 3

$(OUT)/learning_curves.png: $(OUT)/run/final.zip
	$(BIN)/wildrobot plot $(OUT)/run --out $(OUT)

$(VENV)/install.stamp: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or later is needed; try make PYTHON=python3.12')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e .
	touch $@

$(VENV)/dev.stamp: $(VENV)/install.stamp
	$(PIP) -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf walk_out build dist
