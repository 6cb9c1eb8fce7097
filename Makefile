# What people type here. Each target can be repeated, needs no earlier step, and
# is quick when nothing has changed. The work is done by the scripts in tools/.

# make prepare: .venv exists and holds this checkout with what the target needs.
prepare = sh tools/prepare.sh
python = .venv/bin/python

.PHONY: help run test bench build vendor check fmt wheel clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 8

run: ## build, and run a C program on each backing
	@$(prepare) run
	@$(python) tools/demo.py

test: ## run all tests; ARGS="tests/cli -k dir" runs some
	@$(prepare) test
	@$(python) -m pytest $(or $(ARGS),-n 2)

bench: ## measure the calls, beside other hosts and native C
	@$(prepare) bench
	@$(python) -m bench $(ARGS)

build: ## make .venv, with the package and the test tools in it
	@$(prepare) test

vendor: ## fetch the uvwasi backing's foreign source into vendor/
	@$(prepare) vendor

check: ## lint, check types, and compile the C code with warnings as errors
	@$(prepare) dev
	@$(python) tools/check.py

fmt: ## format the Python code
	@$(prepare) dev
	@$(python) -m ruff check --quiet --fix-only .
	@$(python) -m ruff format .

wheel: ## build an sdist and a wheel in dist/
	@$(prepare) dev
	@$(python) -m build --outdir dist .

clean: ## remove all that was built, but not vendor/
	rm -rf .venv build dist *.egg-info wasi_backing/_native*
	find . -name __pycache__ -not -path './vendor/*' -prune -exec rm -rf {} +
