# Needs Python 3.11 or newer with venv, and make. Everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq -c constraints.txt
LAN ?=
ARGS ?=
# Compiled modules are kept, also where the environment says otherwise: the tests start the program many times.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test check format bench bench-large proofs pictures clean

demo: .venv/runs
	@$(BIN)/pointsbank demo --folder .demo $(if $(LAN),--lan)

test: .venv/tests
	@$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

check: .venv/tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q tests/test_tidy.py

format: .venv/tests
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: .venv/tests
	@$(BIN)/python -m tests.bench

# With a million entries and ten million behind it: a quarter of an hour, and eight gigabytes of disk. ARGS=--quick for a minute.
bench-large: .venv/tests
	@$(BIN)/python -m tests.bench.behind $(ARGS)

# Everything that is promised, tried at length: make proofs, or make proofs ARGS="--quick --seed 7".
proofs: .venv/tests
	@$(BIN)/python -m tests.proofs $(ARGS)

pictures: .venv/tests
	@$(BIN)/python -m tests.browser.pictures

clean:
	rm -rf .venv .demo build dist

.venv/python:
	@echo "建立 .venv …"
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/runs: .venv/python pyproject.toml constraints.txt
	@echo "安装程序，第一次约半分钟 …"
	@$(PIP) --editable .
	@touch $@

.venv/tests: .venv/python pyproject.toml constraints.txt
	@echo "安装程序和测试工具，第一次约一分钟 …"
	@$(PIP) --editable '.[dev]'
	@touch $@ .venv/runs
