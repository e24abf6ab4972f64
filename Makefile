# How Doubletap is built, tried and checked. `make` alone tells what there is.

# Go's "local" would keep an older Go from fetching the one that go.mod asks for.
ifeq ($(filter-out local,$(GOTOOLCHAIN)),)
GOTOOLCHAIN := go1.27.3+auto
endif
export GOTOOLCHAIN

GO_FILES = $(shell find . -name '*.go' -not -path '*/node_modules/*')
GOFMT = $$(go env GOROOT)/bin/gofmt
# SQLite, being translated C, would be many times slower under the race detector, and so would hashing; they are their
# authors' to check. No package may be added whose values others hold or share by way of sync or atomic: the detector does not
# learn of memory that a package without it allocates and takes it for what was there before, as it did for the buffer of a PNG's
# encoder, and the linker keeps one copy of a generic function for all. SQLite's pointer arithmetic is not checked either
# (checkptr), which is a twentieth of all work.
RACE = $(if $(shell command -v gcc),-race) '-gcflags=modernc.org/...=-race=false -d=checkptr=0' '-gcflags=golang.org/x/crypto/...=-race=false'
# The packages with tests that call testenv.SkipSequential, as a test at the top of the repository makes sure. The longest begins.
SEQUENTIAL_IN = ./hooks ./internal/cli ./internal/inbox ./internal/photo ./internal/photo/heic ./internal/words
# Two files at a time: node alone would run one on two cores, and each waits for its program and its browser in turn.
NODE_TEST = node --test --test-force-exit --test-concurrency=2 --test-timeout=360000 --test-reporter=spec
APT = DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends

# staticcheck's bugs, simplifications and unused code; its style checks (ST) are matters of taste that reviewers settle.
STATICCHECK = SA*,S*,U*
# G104, errors unhandled: they are of Close on a way out, where there is nothing to do about them, or of writers that cannot fail.
# G115, a whole number made narrower: 130 places of picture arithmetic and file formats, all within bounds that the door has checked.
GOSEC_EXCLUDED = G104,G115
# .golangci.yml has its linters and their reasons. make check leaves them out: on a machine with empty caches the program alone is a
# build of some 250 modules, and with its first look at our code four minutes of processor time, which each run of the gate would pay.
# What mattered most of its findings, errors that become nil, internal/db/swallowed_test.go looks for at each run.
GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# The known vulnerabilities of a day, so that a commit that was good stays good; VULNDB=latest asks for today's.
VULNDB ?= v0.0.0-20261105234957-e22db6528018

.DEFAULT_GOAL := help
.PHONY: help build demo test lint mutants compat first-like bench neighbours doctor-cost check names screenshots lighthouse fmt clean needs race-test go-test sequential-test general-path-test modules-test node-test

help: ## tell what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the program, ./doubletap
	CGO_ENABLED=0 go build -trimpath -o doubletap .

demo: build ## run it with people and photos in ./demo_data
	./doubletap demo --dir=demo_data

test: needs check race-test go-test node-test ## everything: formatting, vet, Go tests with -race, then the built program through the JS SDK and a browser

mutants: ## put faults into the code, one at a time, and see a test fail for each; some 25 minutes, goes on where it was interrupted, RUN=regexp for some
	cd tests/mutants && go run . -run '$(RUN)'

compat: ## PocketBase's own tests with Doubletap bound to the app they test, some two minutes; -v and packages in ARGS
	go run ./tests/compat $(ARGS)

first-like: build tests/node_modules ## one photo, one like, one notification, and how long it took
	cd tests && $(NODE_TEST) first-like.test.mjs

check: build ## formatting, vet, staticcheck, gosec and known vulnerabilities; minutes at first, then seconds
	@unformatted=$$($(GOFMT) -l $(GO_FILES)); test -z "$$unformatted" || { echo "make fmt would change: $$unformatted"; exit 1; }
	go vet ./...
	go tool -modfile=tests/gate/go.mod staticcheck -checks=$(STATICCHECK) ./...
	@mkdir -p dist && go -C tests/gate build -o $(CURDIR)/dist/inspect ./inspect
	go vet -vettool=dist/inspect -gosec.exclude=$(GOSEC_EXCLUDED) $$(go list ./... | grep -v -e /bench -e /tests/) # programs for developers alone
	go -C tests/gate run ./vulns $(VULNDB) $(CURDIR)/doubletap

lint: ## what make check does not ask: wrapped errors, errors that become nil, open answers, log messages; minutes at first
	go run $(GOLANGCI) run ./...

names: ## how many functions there are and how long their names are; words_test.go holds the limits
	@go test -count=1 -run 'TestFunctionNames' -v .

bench: ## measure it beside plain PocketBase in one run, with a table, JSON and a chart
	cd bench && go run .
	go test -run '^$$' -bench 'Render' -benchtime 3x ./internal/photo
	go test -run '^$$' -bench 'Door' -benchtime 50x ./internal/photo/door
	go test -run '^$$' -bench 'PhotoThumb' -benchtime 2000x ./hooks
	go test -run '^$$' -bench 'Photo$$' -benchtime 5x ./hooks
	go test -run '^$$' -bench 'SharePage/post' -benchtime 2000x ./hooks
	$(MAKE) neighbours
	$(MAKE) build tests/node_modules && cd tests && node first-load.mjs

neighbours: ## how much longer likes take while somebody's thousands of rows are removed
	go test -run '^$$' -bench Neighbours -benchtime 1x ./hooks

doctor-cost: ## what an examination of 100,000 posts costs, by what it looks at; the first run makes the folder
	cd bench && go run ./doctor $(ARGS)

screenshots: build tests/node_modules ## make the README's pictures; ALL=folder makes every screen at three widths instead
	cd tests && node screenshots.mjs $(abspath $(ALL))

lighthouse: build tests/node_modules ## what Lighthouse says of the pages a stranger meets; npx fetches it, some five minutes
	cd tests && node lighthouse.mjs

fmt: ## format the Go files
	$(GOFMT) -w $(GO_FILES)

clean: ## remove what was built or made
	rm -rf doubletap demo_data dist tests/node_modules

# vet has looked at everything in make check.
race-test:
	go test $(RACE) -vet=off -timeout=45m $$(go list ./... | grep -v /bench)

# What the race detector does not slow down is two of four things at a time, each of which keeps one core busy; the longest begin.
go-test:
	$(MAKE) -k -j2 --output-sync=target general-path-test sequential-test compat modules-test

sequential-test:
	go test -vet=off -timeout=20m $(SEQUENTIAL_IN)
	go test -vet=off -short ./bench/...

general-path-test:
	DOUBLETAP_FASTPATH=off go test -vet=off -timeout=20m ./hooks # PocketBase's path must say what the fast one says

modules-test:
	@for module in $(wildcard examples/*/go.mod tests/*/go.mod); do \
		dir=$$(dirname $$module); echo "$$dir"; (cd $$dir && go vet ./... && go test -count=1 -short ./...) || exit 1; \
	done

node-test: build tests/node_modules
	cd tests && $(NODE_TEST)
	cd tests && DOUBLETAP_FASTPATH=off $(NODE_TEST) like.test.mjs kill.test.mjs reconnect.test.mjs

tests/node_modules: tests/package.json tests/package-lock.json
	cd tests && npm ci --no-audit --no-fund
	@touch $@

# The race detector needs a C compiler, the browser test Chromium, the photos a cache to be purged and second opinions on WebP and HEIC, the power cut somebody who watches, the rescue an SQLite that is not ours, streams a proxy.
needs:
	@missing=; command -v gcc >/dev/null || missing="gcc libc6-dev"; command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v strace >/dev/null || missing="$$missing strace"; command -v varnishd >/dev/null || missing="$$missing varnish"; command -v dwebp >/dev/null || missing="$$missing webp"; command -v heif-convert >/dev/null || missing="$$missing libheif-examples"; \
	command -v sqlite3 >/dev/null || missing="$$missing sqlite3"; command -v nginx >/dev/null || missing="$$missing nginx-light"; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then apt-get update -qq && $(APT) $$missing; \
	elif [ -n "$$missing" ]; then echo "not installed: $$missing"; \
	if [ -z "$(WITHOUT)" ]; then echo "make needs as root installs them on Debian; WITHOUT=1 leaves out the tests that need them"; exit 1; fi; fi
