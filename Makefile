# Needs Go, git and make. The build tools are pinned in internal/tools; Go fetches and builds them.

TOOL    := go tool -modfile=internal/tools/go.mod
TAGS    := e2e,bench,backends# every build tag of the module, so that vet and staticcheck see all files
VERSION := $(shell sed -n 's/^  version: //p' builder-config.yaml)
BINARY  := dist/otelcol-balena
SIM     := dist/balenasim
DEMOS   := $(patsubst balenasim/scenarios/%.yaml,demo-%,$(wildcard balenasim/scenarios/*.yaml))
# shard.yaml and block.yaml are not configurations on their own.
CONFIGS := $(filter-out %/compose.yaml %/shard.yaml %/block.yaml,$(wildcard distribution/*.yaml))

# What the distribution is built from. The folders are listed because a deleted file leaves no other trace.
SOURCES := Makefile builder-config.yaml go.mod go.sum internal/tools/go.mod \
	$(shell find balenaclient receiver fleetpage prometheustext -type d -not -path '*/testdata*' -o -name '*.go' -not -name '*_test.go') \
	$(wildcard fleetpage/internal/web/*/*)

SIM_SOURCES := Makefile go.mod go.sum \
	$(shell find balenasim cmd/balenasim -type d -o -name '*.go' -not -name '*_test.go' -o -name '*.yaml')

# The platform to build for, by the names that docker build uses; by default this machine's.
PLATFORM = $(if $(TARGETOS),GOOS=$(TARGETOS)) $(if $(TARGETARCH),GOARCH=$(TARGETARCH)) $(if $(filter arm,$(TARGETARCH)),GOARM=$(TARGETVARIANT:v%=%))

# The race detector needs a C compiler; without one Go disables cgo.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

FUZZTIME ?= 10s

# The vulnerability database, as a URL (file:///… for a copy).
GOVULNDB ?= https://vuln.go.dev

# Flags of the simulator in demos; its --help lists them.
SIMFLAGS ?= --requests none

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run $(DEMOS) events build image release test lint generate packaging backends cluster bench microbench fuzz pictures clean
.PHONY: FORCE format vet staticcheck api workflows vulnerabilities generated unit observability validate e2e

comma := ,
heading = @printf '\n== %s\n' '$(1)'

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' Makefile
	@for file in $(DEMOS:demo-%=balenasim/scenarios/%.yaml); do name=$${file##*/}; \
	printf '  make demo-%-10s' "$${name%.yaml}"; sed -n 's/^description: */ Simulated: /p' "$$file"; done

define addresses
	@echo "Fleets:   http://$${BALENA_PAGE_ENDPOINT:-localhost:8080}/"
	@echo "Metrics:  http://$${BALENA_PROMETHEUS_ENDPOINT:-localhost:8000}/metrics, first values in a few seconds"
	@echo "Health:   http://$${BALENA_HEALTH_ENDPOINT:-localhost:13133}/status"
	@echo "Stop:     Ctrl-C"
endef

ifneq ($(BALENA_API_KEY),)
run: build ## Watch the fleets that BALENA_API_KEY can see (BALENA_API_URL: default balenaCloud), or simulated ones without a key
	$(addresses)
	@exec $(BINARY) --config distribution/otelcol.yaml
else
run: demo-calm
endif

# The simulator runs the Collector: each ends with the other.
$(DEMOS): demo-%: build
	@echo "Simulated fleets (scenario $*), no balena account needed. Your own fleets: BALENA_API_KEY=... make run"
	$(addresses)
	@exec env BALENA_COLLECTION_INTERVAL="$${BALENA_COLLECTION_INTERVAL:-10s}" \
	$(SIM) --scenario $* --listen 127.0.0.1:0 $(SIMFLAGS) -- $(BINARY) --config distribution/otelcol.yaml

# Half an hour of the simulated fleets passes in a minute. Of each record the sentence is shown.
events: build ## Show what happens in simulated fleets, as events
	@echo "Events of simulated fleets (scenario outage, 30 times as fast), the first in half a minute. Stop: Ctrl-C"
	@$(SIM) --scenario outage --speed 30 --listen 127.0.0.1:0 $(SIMFLAGS) -- $(BINARY) --config distribution/events-console.yaml | \
	sed -u -n 's/ log\.record\.uid=.*//p'

build: $(BINARY) $(SIM) ## Build dist/otelcol-balena, the Collector with the balena receiver, and dist/balenasim (minutes the first time)

# The builder writes the Collector's source; it does not compile it, because it would run the builder itself for the target platform.
dist/main.go: $(SOURCES)
	$(call heading,Write the source of $(BINARY))
	$(TOOL) builder --config builder-config.yaml --skip-compilation

# Changes when another platform is built for.
dist/platform: FORCE
	@mkdir -p dist && { echo '$(PLATFORM)' | cmp -s - $@ || echo '$(PLATFORM)' > $@; }
FORCE:

$(BINARY): dist/main.go dist/platform
	$(call heading,Build $(BINARY))
	cd dist && CGO_ENABLED=0 $(PLATFORM) go build -trimpath -ldflags='-s -w' -o otelcol-balena .

# For the image, which has no other program that could ask for the health.
dist/healthcheck: $(wildcard cmd/healthcheck/*.go) dist/platform
	$(call heading,Build $@)
	CGO_ENABLED=0 $(PLATFORM) go build -trimpath -ldflags='-s -w' -o $@ ./cmd/healthcheck

$(SIM): $(SIM_SOURCES) dist/platform
	$(call heading,Build $(SIM))
	CGO_ENABLED=0 $(PLATFORM) go build -trimpath -o $(SIM) ./cmd/balenasim

# The time of the commit makes the image the same for everybody. Old versions of buildah do not know the platform that they run on.
image: IMAGE = localhost/otelcol-balena:$(VERSION)
image: ## Build the container image otelcol-balena with buildah (IMAGEFLAGS="--platform linux/arm64": for another platform)
	$(call heading,Build $(IMAGE))
	buildah bud --format docker --timestamp $$(git log -1 --format=%ct) --build-arg BUILDPLATFORM=$$(go env GOHOSTOS)/$$(go env GOHOSTARCH) \
	--tag $(IMAGE) --file distribution/Dockerfile --ignorefile distribution/Dockerfile.dockerignore $(IMAGEFLAGS) .

# Snapshot means to goreleaser: what is here, with or without a tag, and without publishing it.
release: dist/main.go dist/tools/goreleaser ## Build archives, packages (deb, rpm, apk), checksums and bills of materials in dist/release
	$(call heading,Release)
	touch --date=@$$(git log -1 --format=%ct) distribution/package/*.sh # apk keeps the scripts' own times
	PATH="$(CURDIR)/dist/tools:$$PATH" VERSION=$(VERSION) SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) goreleaser release --snapshot --clean

dist/tools/goreleaser: internal/tools/release/go.mod internal/tools/release/go.sum
	$(call heading,Build goreleaser)
	cd internal/tools/release && GOBIN='$(CURDIR)/dist/tools' go install tool && touch '$(CURDIR)/$@'

# Without vulnerabilities, which turn up in code that was sound when it was committed.
test: format vet staticcheck api workflows generated unit observability build validate e2e ## Run all tests that need nothing but Go
	$(call heading,All passed)

lint: format vet staticcheck api workflows vulnerabilities ## Check formatting, vet, staticcheck, exported API, workflows, known vulnerabilities

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

# checkapi checks modules, and the components are packages: they get a copy that is a module.
api:
	$(call heading,The components export their factories and configurations only (checkapi))
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && cp -R receiver fleetpage prometheustext "$$dir" && \
	for component in receiver fleetpage prometheustext; do echo "module $$component" > "$$dir/$$component/go.mod" || exit; done && \
	$(TOOL) checkapi -folder "$$dir" -config internal/tools/checkapi.yaml

workflows:
	$(call heading,GitHub workflows (actionlint))
	$(TOOL) actionlint -shellcheck= -pyflakes=

# The Collector is scanned as source: of a stripped binary govulncheck knows the modules but not which of their packages are linked.
vulnerabilities: dist/main.go
	$(call heading,Known vulnerabilities (govulncheck))
	@for dir in . dist; do \
	out=$$($(TOOL) govulncheck -db '$(GOVULNDB)' -C $$dir -tags $(TAGS) ./... 2>&1); status=$$?; \
	printf '%s: %s\n' "$$dir" "$$out"; case "$$out" in *"fetching vulnerabilities"*) \
	[ '$(VULNERABILITIES)' = optional ] && { echo "NOT CHECKED: no database at $(GOVULNDB)"; exit 0; }; \
	echo "NOT CHECKED: set GOVULNDB to a database that can be reached, or VULNERABILITIES=optional to go on without"; exit 1;; esac; \
	[ $$status = 0 ] || exit $$status; done

generate: ## Regenerate code, documentation, dashboards and Kubernetes manifests from their sources
	go generate ./...
	cd internal/observability && go generate ./...

# Compares the tree before and after, not with HEAD: uncommitted changes of yours are fine.
generated:
	$(call heading,Generated files are up to date)
	@sums() { git ls-files -z --cached --others --exclude-standard | sort -zu | xargs -0 cksum 2>/dev/null || :; }; \
	before=$$(sums); [ -n "$$before" ] || { echo "git lists no files: is this a git checkout?"; exit 1; }; \
	go generate ./... || exit; (cd internal/observability && go generate ./...) || exit; after=$$(sums); [ "$$before" = "$$after" ] || { \
	echo "out of date; now regenerated, look at them and commit them:"; \
	printf '%s\n' "$$before" "$$after" | sort | uniq -u | cut -d ' ' -f 3- | sort -u; exit 1; }

unit:
	$(call heading,Unit tests$(if $(RACE), with,: no C compiler$(comma) so without) the race detector)
	go test $(RACE) ./...

# A module of its own, so that Prometheus and the Prometheus exporter do not become requirements of the receiver's.
observability:
	$(call heading,Served series and alert rules)
	cd internal/observability && go vet ./... && go test -timeout 20m ./...

# Node and Chromium are needed for this only.
pictures: ## Validate the dashboards against Grafana's schema and draw them into docs/images (needs npm and chromium)
	cd internal/observability/pictures && npm ci --legacy-peer-deps --no-audit --no-fund --ignore-scripts && npm run schema && npm run build && \
	go test -count=1 -run TestPictures . -pictures

# A module of its own, for the types of Kubernetes, Compose and BuildKit. Tests that need a program which is not installed are skipped.
packaging: build ## Test images, packages and manifests (needs what .ci/tools installs, and skips the rest)
	$(call heading,Packaging)
	cd internal/packaging && go vet ./... && go test -timeout 30m $(PACKAGING) ./...

dist/browser/node_modules/axe-core/axe.min.js: Makefile
	@mkdir -p dist/browser
	npm install --prefix dist/browser --no-save --no-package-lock --ignore-scripts --no-audit --no-fund axe-core@4.14.1 && touch $@

# A module of its own. Its output is shown although it passes: where there is no Chromium it says so and passes, but not in CI.
browser: dist/browser/node_modules/axe-core/axe.min.js ## Test the fleet page in a browser (needs npm and chromium; UPDATE=-update writes its pictures into docs/images)
	$(call heading,The fleet page in a browser)
	cd internal/browser && go vet ./... && go test -count=1 -timeout 10m $(UPDATE)

validate: build
	$(call heading,Validate the configurations)
	@for config in $(CONFIGS) "distribution/otlp.yaml --config distribution/shard.yaml" "distribution/otelcol.yaml --config distribution/block.yaml"; do \
	echo "$$config"; \
	BALENA_API_KEY=none BALENA_TOKEN=none OTELCOL_API_KEY=none BALENA_API_URL=https://api.example.com $(BINARY) validate --config $$config || exit; \
	done

# Prometheus itself, for tests against it; without service discovery, which takes most of the time to build.
dist/prometheus: internal/prometheus/go.mod internal/prometheus/go.sum
	$(call heading,Build $@)
	cd internal/prometheus && CGO_ENABLED=0 go build -trimpath -tags remove_all_sd -o ../../$@ github.com/prometheus/prometheus/cmd/prometheus

dist/victoria-metrics: internal/victoriametrics/go.mod internal/victoriametrics/go.sum
	$(call heading,Build $@)
	cd internal/victoriametrics && CGO_ENABLED=0 go build -trimpath -o ../../$@ github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics

# A Kafka broker in memory.
dist/kafka: internal/kafka/go.mod internal/kafka/go.sum internal/kafka/main.go
	$(call heading,Build $@)
	cd internal/kafka && CGO_ENABLED=0 go build -trimpath -o ../../$@ .

backends: build dist/prometheus dist/victoria-metrics dist/kafka ## Test against Prometheus, VictoriaMetrics and Kafka, which are built first (minutes the first time)
	$(call heading,Prometheus$(comma) VictoriaMetrics and Kafka)
	go test -tags e2e$(comma)backends -count=1 ./distribution -run 'TestPrometheus|TestKafka'

# A Kubernetes API server, the store that it needs, and kubectl.
dist/kube-apiserver dist/kubectl: PACKAGE = k8s.io/kubernetes/cmd/$(@F)
dist/etcd: PACKAGE = go.etcd.io/etcd/server/v3
dist/kube-apiserver dist/kubectl dist/etcd: internal/cluster/go.mod internal/cluster/go.sum
	$(call heading,Build $@)
	cd internal/cluster && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o ../../$@ $(PACKAGE)

# No pod runs: it takes more than an API server to run one.
cluster: dist/kube-apiserver dist/kubectl dist/etcd ## Apply the manifests to a Kubernetes API server, which is built first (minutes the first time)
	$(call heading,Kubernetes)
	cd internal/packaging && go vet -tags cluster ./... && go test -tags cluster -count=1 -run TestCluster .

e2e: build
	$(call heading,End-to-end test)
	go test -tags e2e -count=1 ./distribution ./benchmarks

bench: build dist/prometheus ## Measure Collector and simulator as in benchmarks/RESULTS.md, about an hour and 5 GB (UPDATE=-update writes them there)
	go test -tags bench -count=1 -timeout 2h -v ./benchmarks $(UPDATE)

microbench: ## Run the benchmarks of single functions
	go test -run '^$$' -bench . -benchmem ./...

fuzz: ## Run each fuzz test for FUZZTIME (default 10s)
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | while IFS=: read -r file func; do \
	name="$${func#func }"; printf '\n== %s\n' "$$file $$name"; \
	go -C "$$(dirname "$$file")" test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x || exit; \
	done

clean: ## Remove dist/
	rm -rf dist
