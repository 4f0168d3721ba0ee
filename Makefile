# Needs Go, git and make. The build tools are pinned in internal/tools; Go fetches and builds them.

TOOL    := go tool -modfile=internal/tools/go.mod
TAGS    := e2e,bench# every build tag of the module, so that vet and staticcheck see all files
BINARY  := dist/otelcol-balena
SIM     := dist/balenasim
DEMOS   := $(patsubst balenasim/scenarios/%.yaml,demo-%,$(wildcard balenasim/scenarios/*.yaml))
# shard.yaml is none by itself.
CONFIGS := $(filter-out %/compose.yaml %/shard.yaml,$(wildcard distribution/*.yaml))

# What the distribution is built from. The folders are listed because a deleted file leaves no other trace.
SOURCES := Makefile builder-config.yaml go.mod go.sum internal/tools/go.mod \
	$(shell find balenaclient receiver -type d -not -path '*/testdata*' -o -name '*.go' -not -name '*_test.go')

SIM_SOURCES := Makefile go.mod go.sum \
	$(shell find balenasim cmd/balenasim -type d -o -name '*.go' -not -name '*_test.go' -o -name '*.yaml')

# The race detector needs a C compiler; without one Go switches cgo off.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

FUZZTIME ?= 10s

# Flags of the simulator in demos; its --help lists them.
SIMFLAGS ?= --requests none

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run $(DEMOS) build test lint generate bench microbench fuzz clean
.PHONY: format vet staticcheck vulnerabilities generated unit validate e2e

comma := ,
heading = @printf '\n== %s\n' '$(1)'

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' Makefile
	@for file in $(DEMOS:demo-%=balenasim/scenarios/%.yaml); do name=$${file##*/}; \
	printf '  make demo-%-10s' "$${name%.yaml}"; sed -n 's/^description: */ Simulated: /p' "$$file"; done

define addresses
	@echo "Metrics:  http://$${BALENA_PROMETHEUS_ENDPOINT:-localhost:8000}/metrics, first values in a few seconds"
	@echo "Health:   http://$${BALENA_HEALTH_ENDPOINT:-localhost:13133}"
	@echo "Stop:     Ctrl-C"
endef

ifneq ($(BALENA_API_KEY),)
run: build ## Watch the fleets that BALENA_API_KEY can see (BALENA_API_URL: default balenaCloud); simulated ones without a key
	$(addresses)
	@exec $(BINARY) --config distribution/otelcol.yaml
else
run: demo-calm
endif

# The simulator runs the Collector: each ends with the other.
$(DEMOS): demo-%: build
	@echo "Simulated fleets (scenario $*): no balena account is asked. Your own fleets: BALENA_API_KEY=... make run"
	$(addresses)
	@exec env BALENA_COLLECTION_INTERVAL="$${BALENA_COLLECTION_INTERVAL:-10s}" \
	$(SIM) --scenario $* --listen 127.0.0.1:0 $(SIMFLAGS) -- $(BINARY) --config distribution/otelcol.yaml

build: $(BINARY) $(SIM) ## Build dist/otelcol-balena, the Collector with the balena receiver, and dist/balenasim (at first some minutes)

$(BINARY): $(SOURCES)
	$(call heading,Build $(BINARY))
	$(TOOL) builder --config builder-config.yaml

$(SIM): $(SIM_SOURCES)
	$(call heading,Build $(SIM))
	CGO_ENABLED=0 go build -trimpath -o $(SIM) ./cmd/balenasim

# Not part of it: vulnerabilities, which are found in what was sound when it was committed.
test: format vet staticcheck generated unit build validate e2e ## Run everything that CI runs
	$(call heading,All passed)

lint: format vet staticcheck vulnerabilities ## Check formatting, vet, staticcheck, known vulnerabilities

format:
	$(call heading,Formatting (gofmt))
	@files=$$(find . -path ./dist -prune -o -name '*.go' -exec gofmt -l {} +) || exit; \
	[ -z "$$files" ] || { echo "not formatted, run gofmt -w on them:"; echo "$$files"; exit 1; }

vet:
	$(call heading,go vet)
	go vet -tags $(TAGS) ./...

staticcheck:
	$(call heading,staticcheck)
	$(TOOL) staticcheck -tags $(TAGS) ./...

# The database is on the network, which is no fault of the code.
vulnerabilities:
	$(call heading,Known vulnerabilities (govulncheck))
	@out=$$($(TOOL) govulncheck -tags $(TAGS) ./... 2>&1); status=$$?; echo "$$out"; case "$$out" in \
	*"fetching vulnerabilities"*) echo "NOT CHECKED: the database cannot be reached from here";; \
	*) exit $$status;; esac

generate: ## Regenerate code and documentation from metadata.yaml
	go generate ./...

# Compares the tree before and after, not with HEAD: changes that are yours to commit are no fault here.
generated:
	$(call heading,Generated files are up to date)
	@sums() { git ls-files -z --cached --others --exclude-standard | sort -zu | xargs -0 cksum 2>/dev/null || :; }; \
	before=$$(sums); [ -n "$$before" ] || { echo "git lists no files: is this a git checkout?"; exit 1; }; \
	go generate ./... || exit; after=$$(sums); [ "$$before" = "$$after" ] || { \
	echo "out of date; now regenerated, look at them and commit them:"; \
	printf '%s\n' "$$before" "$$after" | sort | uniq -u | cut -d ' ' -f 3- | sort -u; exit 1; }

unit:
	$(call heading,Unit tests$(if $(RACE), with,: no C compiler$(comma) so without) the race detector)
	go test $(RACE) ./...

validate: build
	$(call heading,Validate the configurations)
	@for config in $(CONFIGS) "distribution/otlp.yaml --config distribution/shard.yaml"; do \
	echo "$$config"; \
	BALENA_API_KEY=none BALENA_TOKEN=none BALENA_API_URL=https://api.example.com $(BINARY) validate --config $$config || exit; \
	done

e2e: build
	$(call heading,End-to-end test)
	go test -tags e2e -count=1 ./distribution ./benchmarks

bench: build ## Measure Collector and simulator as in benchmarks/RESULTS.md, some minutes (UPDATE=-update writes them there)
	go test -tags bench -count=1 -timeout 1h -v ./benchmarks $(UPDATE)

microbench: ## Run the benchmarks of single functions
	go test -run '^$$' -bench . -benchmem ./...

fuzz: ## Run each fuzz test for FUZZTIME (default 10s)
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | while IFS=: read -r file func; do \
	name="$${func#func }"; printf '\n== %s\n' "$$file $$name"; \
	go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit; \
	done

clean: ## Remove dist/
	rm -rf dist
