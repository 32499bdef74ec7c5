# Everything happens in .venv, which the first target makes. Works with GNU make 3.81 (macOS).
# Variables: PYTHON=… the interpreter for .venv; ARGS=… more arguments for the program of a target.

PY := .venv/bin/python
HERE := $(shell pwd -P)
# A checkout that was moved, and a .venv whose Python has gone, are set up again.
STALE := $(shell [ ! -e .venv/.ready-run ] || \
	{ [ "$$(cat .venv/.ready-run)" = "$(HERE)" ] && $(PY) -c '' 2>/dev/null; } || echo again)
KUBECTLS ?= $(HOME)/.cache/tutor-kubectls
RECIPES := pyproject.toml constraints.txt .ci/setup .ci/setup.py

# Without .pyc files every start takes three times as long.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONHOME
unexport PYTHONPATH

# Two targets at once would fill .venv at once.
.NOTPARALLEL:
.PHONY: help run demo test check house bench conformance scenarios goldens fuzz matrix interop assets schema clean again

help: ## say what the targets do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: .venv/.ready-run ## open the app
	@$(PY) -m tutor $(ARGS)

demo: .venv/.ready-run ## let the lesson play itself, without a terminal
	@$(PY) -m tutor demo --headless $(ARGS)

test: .venv/.ready-test ## run all tests
	@$(PY) -m pytest --numprocesses auto --dist loadfile --reruns 1 -r R $(ARGS)

check: .venv/.ready-check ## format, lint, types, import contracts, house rules, lessons
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m pyright
	@.venv/bin/lint-imports
	@$(PY) -m yamllint --strict .
	@$(PY) -m tutor check lessons
	@$(PY) -m pytest tests/test_house.py

house: .venv/.ready-run ## print what has grown past the sizes that CONTRIBUTING.md aims at
	@$(PY) .ci/house.py

bench: .venv/.ready-test ## measure, and hold the figures to their bars
	@$(PY) .ci/bench.py $(ARGS)

conformance: .venv/.ready-test ## hold the terminal against xterm.js, tmux and specifications
	@$(PY) .ci/conformance.py $(ARGS)

scenarios: .venv/.ready-test ## play recorded commands; SCENARIOS=FOLDER ONLY=TEXT VERBOSE=1
	@$(PY) -m tests.contract.play $(SCENARIOS) \
		$(if $(ONLY),--only "$(ONLY)") $(if $(VERBOSE),--verbose) $(ARGS)

goldens: .venv/.ready-test ## replay recorded requests; ONLY=TEXT VERBOSE=1
	@$(PY) -m tests.contract.goldens.play \
		$(if $(ONLY),--only "$(ONLY)") $(if $(VERBOSE),--verbose) $(ARGS)

fuzz: .venv/.ready-test ## ask the API server what nobody asks; ARGS="--requests 1000 --seed 7"
	@.ci/setup fuzz || echo 'fuzzing goes on without schemathesis'
	@$(PY) .ci/fuzz.py $(ARGS)

interop: .venv/.ready-test ## build real pinniped, cert-manager and Contour, and hold ours against them
	@$(PY) -m tests.interop.programs
	@$(PY) -m pytest -o python_files='interop_*.py' -p no:randomly -rs tests/interop $(ARGS)

matrix: .venv/.ready-test ## play the lesson with kubectl 1.28 to 1.37; KUBECTLS=FOLDER to keep them in
	@$(PY) .ci/kubectls.py "$(KUBECTLS)"
	@KUBECTLS="$(KUBECTLS)" $(PY) -m pytest -p no:randomly -s tests/contract/test_kubectl_matrix.py $(ARGS)

assets: .venv/.ready-test ## take pictures and recording anew, from the running program: build/pictures, assets
	@$(PY) .ci/assets.py

snapshots: .venv/.ready-test ## take the snapshots that tests/ui compares the screens with anew
	@rm -f tests/ui/snapshots/*.txt
	@SNAPSHOTS=anew $(PY) -m pytest --numprocesses auto tests/ui/test_snapshots.py

schema: .venv/.ready-run ## write docs/schema from the lesson model
	@$(PY) -m tutor schema lesson > docs/schema/lesson.json
	@$(PY) -m tutor schema step > docs/schema/step.json

clean: ## remove .venv and everything else that was made here
	rm -rf .venv build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find tutor tests .ci -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready-run: $(RECIPES) $(STALE)
	@.ci/setup run

.venv/.ready-test: $(RECIPES) $(STALE)
	@.ci/setup test

.venv/.ready-check: $(RECIPES) $(STALE)
	@.ci/setup check
