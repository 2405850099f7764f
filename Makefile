# Everything a developer does with Innsyn. On a fresh Debian only Go, git and make
# are needed; what else is missing is installed (as root) or named.
#
#   make run [PORT=8080]   build and start everything on this machine
#   make test              all tests: unit, database, end to end in a browser
#   make check             what a reviewer would look at first; fast
#   make generate          bring generated files up to date
#   make bench             measure; docs/PERFORMANCE.md explains the figures

PORT ?= 8080
GO   ?= go
export CGO_ENABLED = 0

.PHONY: run build test check generate bench tools go clean

run: build
	@exec bin/innsyn-dev -end-with-parent -port $(PORT)

build: go
	@$(GO) build -o bin/ ./cmd/innsyn
	@cd dev && $(GO) build -o ../bin/ ./cmd/innsyn-dev ./cmd/need

test: build
	@bin/need postgresql chromium curl
	$(GO) test -timeout 20m ./...
	cd dev && $(GO) test -timeout 20m -count=1 ./...

check: build tools
	@bin/need postgresql
	@echo "gofmt"; unformatted=$$(gofmt -l $$(git ls-files '*.go')) && test -z "$$unformatted" || { echo "not formatted: $$unformatted"; exit 1; }
	@echo "go vet"; $(GO) vet ./... && cd dev && $(GO) vet ./...
	@echo "staticcheck"; bin/staticcheck ./... && cd dev && ../bin/staticcheck ./...
	@echo "templates, schema, import directions, licences"; INNSYN_TEMPL=$(CURDIR)/bin/templ $(GO) test -count=1 ./internal/checks

generate: tools
	bin/templ fmt views
	bin/templ generate -path views
	$(GO) test -count=1 ./internal/checks -run 'TestSchema|TestLicences' -args -update

# staticcheck and templ are pinned in go.mod.
tools: go
	@$(GO) build -o bin/ github.com/a-h/templ/cmd/templ honnef.co/go/tools/cmd/staticcheck

bench: build
	@bin/need postgresql
	cd dev && $(GO) run ./cmd/bench

go:
	@command -v $(GO) >/dev/null || { echo "Go 1.26 or newer is needed and not in PATH; see https://go.dev/dl" >&2; exit 1; }

clean:
	rm -rf bin .cache
