# What there is to do here: make help.
#
# Everything works in a fresh clone, in any directory and without root; what the
# machine lacks is installed first by scripts/setup.sh, which says so.

GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
BUF      := go run github.com/bufbuild/buf/cmd/buf@v1.75.0

VERSION := $(or $(shell git describe --tags --always --dirty 2>/dev/null),dev)
GOBUILD := go build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)'

# How long and how much, where a target takes it: make sim SEEDS=100000.
T      := 30s
SEEDS  := 10000
N      := 100
ARGS   :=

# The Go that is installed, or one sentence from setup.sh; never a download of another.
export GOTOOLCHAIN := local
export CGO_ENABLED := 1
# The interpreters that tests start stock VeighNa with. A test that finds one set and useless fails.
export HUB_VNPY45_PYTHON := $(CURDIR)/.venvs/vnpy-4.5.0/bin/python
export HUB_RISKMANAGER := $(CURDIR)/.venvs/riskmanager
export HUB_VNPY44_PYTHON := $(CURDIR)/.venvs/vnpy-4.4.0/bin/python
export HUB_VNPY_PYTHON   := $(HUB_VNPY45_PYTHON)

.DEFAULT_GOAL := help
.PHONY: help build demo test lint gen fmt fuzz sim record crash soak bench clean setup-build setup-vnpy setup-riskmanager

help: ## print this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: setup-build ## bin/hub, bin/hub-bench and the plugins in bin/plugins
	@mkdir -p bin/plugins
	$(GOBUILD) -o bin/ ./cmd/...
	$(GOBUILD) -o bin/plugins/ ./plugins/gateways/... ./plugins/risk/...
	@# The hub refuses plugins that others may write, whatever the umask was.
	@chmod go-w bin bin/plugins bin/plugins/*

demo: build ## run the whole house with two traders: make demo ARGS="--base-port 3000"
	@exec bin/hub demo $(ARGS)

test: build setup-vnpy ## every test, stock VeighNa clients included
	scripts/setup_test.sh
	$(HUB_VNPY45_PYTHON) tests/veighna/selftest.py
	$(HUB_VNPY44_PYTHON) tests/veighna/selftest.py
	go test -race -timeout 20m $$(go list ./... | grep -v /hub/hubtest$$)
	go test -race -timeout 20m ./hub/hubtest -run TestSeeds -args -seeds=6
	go test -timeout 20m ./hub/core ./hub/hubtest # ten times as fast without the detector: whole histories, and every seed

lint: setup-build ## what reviewers should not have to say
	$(GOLANGCI) run ./...
	$(BUF) lint
	$(BUF) format --diff --exit-code
	@if command -v shellcheck >/dev/null; then set -x; shellcheck scripts/*.sh .ci/run; fi

gen: setup-build ## the Go code of the .proto files
	$(BUF) format --write
	$(BUF) generate

fmt: setup-build ## format Go and .proto files
	$(GOLANGCI) fmt ./...
	$(BUF) format --write

fuzz: setup-build ## fuzz each target for T=30s
	scripts/fuzz.sh $(T)

sim: setup-build ## the seeded world, SEEDS=10000 of it
	go test ./hub/hubtest -run TestSeeds -count=1 -timeout 0 -args -seeds=$(SEEDS)

record: ## crashes and explanations of the permanent record, in SEEDS=10000 stories
	go test ./hub/audit -run 'TestCrashLosesNothing|TestExplainAgreesWithEveryDecision' -count=1 -timeout 0 -args -seeds=$(SEEDS)

crash: build setup-vnpy ## kill -9 at N=100 random moments, and compare the books
	go test ./e2e -run TestCrash -count=1 -timeout 0 -args -crashes=$(N)

soak: build ## an hour of trading, and the memory it takes
	bin/hub-bench soak $(ARGS)

bench: build setup-riskmanager ## the hub beside stock VeighNa, on this machine
	bin/hub-bench $(ARGS)

clean: ## remove what build left; environments, data and caches stay
	rm -rf bin

setup-build:
	@scripts/setup.sh build

setup-riskmanager:
	@scripts/setup.sh riskmanager

setup-vnpy:
	@scripts/setup.sh vnpy
