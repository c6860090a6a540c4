# What people and CI call. Each target is a few lines here or a script in Tools/dev.
#
#   make quickstart   installs what is missing, builds, runs the whole way on fixtures/, ends with shard statistics
#   make test         everything that CI runs
#   make demo         the whole way on ≥ 150 MB of real pages in 8 languages, and the checks on its reports

SWIFT  ?= swift
JOBS   ?= 2
CONFIG  = -c release --product sluice --static-swift-stdlib -j $(JOBS)
SLUICE  = .build/release/sluice
PYTHON ?= python3
CACHE   = .cache

export SWIFT JOBS PYTHON CACHE
# A crash in a test is shown by the test runner; the backtracer would cost minutes on top.
export SWIFT_BACKTRACE = enable=no

.PHONY: help deps build quickstart test lint unit commands pipeline tables demo demo-kill interop html bench fuzz \
        expected fixtures format clean

help:
	@sed -n 's/^#   //p' Makefile

# Debian packages of the system libraries; no network if all are there.
deps:
	@Tools/dev/deps.sh

build: deps
	$(SWIFT) build $(CONFIG)

quickstart: build
	@Tools/dev/quickstart.sh $(SLUICE)

# CI calls this: lint, debug build with warnings as errors, unit tests with coverage, release build, command tests, the
# small pipeline against its committed outputs, generated tables against their generators.
test: deps
	@Tools/dev/test.sh

lint:
	@$(SWIFT) format lint --strict --parallel -r Package.swift Sources Tests

unit: deps
	$(SWIFT) test -j $(JOBS) --skip CommandTests --skip ReliabilityTests

commands: build
	SLUICE_BINARY=$(CURDIR)/$(SLUICE) $(SWIFT) test -j $(JOBS) --filter 'CommandTests|ReliabilityTests'

# The small pipeline on fixtures/, compared with fixtures/expected.
pipeline: build
	@Tools/dev/small_pipeline.sh check $(SLUICE)

# Writes fixtures/expected anew; review the difference before you commit it.
expected: build
	@Tools/dev/small_pipeline.sh write $(SLUICE)

# Writes the inputs under fixtures/ anew (the same bytes as in git).
fixtures:
	$(PYTHON) Tools/fixtures/make_fixtures.py fixtures

# Generated tables, made again and compared.
tables:
	@Tools/dev/tables.sh

# A real dump made of documentation packages (downloaded once into .cache/demo), the whole way, and checks on it.
demo: build
	@Tools/dev/demo.sh $(SLUICE)

# Kills a run over the demo dump twice in every phase, resumes it, and compares the tree with an uninterrupted run's.
demo-kill: build
	@[ -e $(CACHE)/demo/manifest.json ] || $(PYTHON) Tools/demo/make_demo.py $(CACHE)/demo
	@$(PYTHON) Tools/demo/kill_demo.py --sluice $(SLUICE) --input $(CACHE)/demo/crawl

# Exports read back by megatron-core and datatrove (makes its own Python environment on the first run).
interop: build
	@Tools/interop/run.sh $(SLUICE)

# Pages of report --html opened in headless Chromium, if it is here: no console error, nothing loaded.
html: build
	@Tools/dev/check_html.sh $(SLUICE)

# sluice and its peers in one run; Benchmarks/RESULTS.md says how to read it.
bench: build
	@Benchmarks/run.sh $(SLUICE)

# The unit tests that feed parsers random damage, again and again with other seeds: ROUNDS=20.
fuzz: deps
	@Tools/dev/fuzz.sh

format:
	$(SWIFT) format -i --parallel -r Package.swift Sources Tests

clean:
	rm -rf .build out default.profraw
