# ECG Lessons. Every target sets up .venv by itself; another Python: make course PYTHON=python3.12

PYTHON ?= python3
KIND ?= cpu
BASE ?= python:3.12-slim
BIN := .venv/bin
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url -q
# A lock of an image: its name, more extras, and the overrides.
image_lock = $(COMPILE) pyproject.toml docker/$(1).in --extra formats --extra tensorboard $(2) \
	--override docker/$(3).override --python-version 3.12 -o docker/$(1).lock
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help course lab test fuzz lint notebooks assignments site results benchmarks limits docker docker-test class-test lock clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

course: .venv/.ready  ## Run the lessons on the built-in cohort, into build/course/index.html; LESSON=1 runs one
	@$(BIN)/ecg-lessons course $(LESSON) --to build/course

lab: .venv/.ready  ## Open JupyterLab on your own copy of the lessons, in work/
	@$(BIN)/ecg-lessons lab --to work

# The notebooks run as copies in another folder, with the solutions of their exercises as last cells. Three processes for
# two cores: a quarter of the time each waits for a browser, a kernel or another command. One thread for each:
# TensorFlow's threads wait for one another where there are more of them than cores. The longest go first.
test: lint  ## Check style, package, notebooks, solutions, and stored outputs
	@$(BIN)/python -m ecg_lessons.course.notebooks --solved build/solved
	@ECG_LESSONS_SOURCE=sample TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 $(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder --nbval --nbval-current-env build/solved tests

fuzz: .venv/.ready  ## Read 10,000 damaged files (the tests try 500), and kill commands at each file operation (3)
	@ECG_LESSONS_FUZZ=10000 ECG_LESSONS_MOMENTS=100 $(BIN)/pytest -q -n 0 tests/test_kills.py tests/test_fuzz.py

lint: .venv/.ready  ## Check style only
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

notebooks: .venv/.ready  ## Build and execute notebooks/*.ipynb from notebooks/source/*.py
	@$(BIN)/python -m ecg_lessons.course.notebooks

assignments: .venv/.ready  ## Write what students get, assignments/release, from assignments/source
	@$(BIN)/python -m ecg_lessons.grading.assignments

site: .venv/.ready  ## Build the web site into build/site, offline, from what is stored; SOURCE=address says where the project lies
	@$(BIN)/python site/assemble.py build/site-source
	@$(BIN)/sphinx-build -q -W --keep-going -b html build/site-source build/site
	@echo "The site is in build/site: open build/site/index.html."

results: .venv/.ready  ## Measure a lesson on the real databases (LESSON=inversion); goes on if interrupted
	@$(BIN)/ecg-lessons results $(or $(LESSON),inversion)

benchmarks: .venv/.ready  ## Measure speed as ratios to the original projects' ways
	@$(BIN)/pytest -q -s benchmarks --benchmark-columns=median,rounds

limits: .venv/.ready  ## Measure how far each network is from what this machine could do (half an hour); goes on if interrupted
	@$(BIN)/python benchmarks/limits.py

docker:  ## Build the image of the course (KIND=cpu, gpu or ray) with docker or podman
	@engine="$$(docker/engine)" && echo "Found $$engine: building ecg-lessons:$(KIND)" && \
		BUILDAH_FORMAT=docker $$engine build -f docker/Dockerfile --target $(KIND) --build-arg BASE=$(BASE) -t ecg-lessons:$(KIND) .

docker-test: .venv/.ready  ## Build the CPU image and run it as a stranger, read-only, without network (minutes)
	@BASE=$(BASE) $(BIN)/python tests/docker/containers.py

class-test: .venv/.ready  ## Run a class of 30 simulated students on a hub of this machine (minutes; needs npm)
	@$(BIN)/uv venv --quiet --allow-existing build/class
	@$(BIN)/uv pip sync --quiet --python build/class/bin/python --require-hashes docker/class-test.lock
	@[ -x build/class/node_modules/.bin/configurable-http-proxy ] || \
		npm install --silent --no-audit --no-fund --prefix build/class configurable-http-proxy@5
	@build/class/bin/python -m pytest -q -s -p no:cacheprovider --confcutdir tests/classroom tests/classroom

lock: .venv/.ready  ## Resolve requirements.lock and those of the images anew from pyproject.toml
	@$(COMPILE) pyproject.toml --extra dev --python-version 3.11 -o requirements.lock
	@$(COMPILE) docker/build.in --python-version 3.12 -o docker/build.lock
	@$(COMPILE) docker/hub.in --python-version 3.11 -o docker/hub.lock
	@$(COMPILE) docker/class-test.in --python-version 3.11 -o docker/class-test.lock
	@$(call image_lock,cpu,,cpu)
	@$(call image_lock,gpu,--extra gpu,gpu)
	@$(call image_lock,ray,--extra cluster,cpu)

clean:  ## Remove .venv, build and caches; runs and data stay
	@rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .hypothesis .benchmarks
	@find . -name __pycache__ -prune -exec rm -rf {} +

# pip only fetches uv, by the hash in the lock; uv then makes .venv exactly what the lock says, a few times faster.
# Bytecode is compiled now, since TensorFlow would else take 17 s instead of 6 s to import for the first time.
.venv/.ready: requirements.lock pyproject.toml
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON): install Python 3.11, 3.12 or 3.13."; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else \
		f"ECG Lessons needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is {v[0]}.{v[1]}: name another one, such as make course PYTHON=python3.12")'
	@echo "Setting up .venv (about a minute and 3.5 GB)"
	@if [ ! -x $(BIN)/uv ]; then \
		rm -rf .venv && $(PYTHON) -m venv .venv && \
		sed -n '/^uv==/,/# via/p' requirements.lock > .venv/uv.txt && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt; \
	fi
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
