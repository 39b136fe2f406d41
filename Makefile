# What can be done with this project. `make` lists it.
# Everything is built from pinned Go modules: no cluster, no docker engine and no download of
# binaries is needed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# The image that docker-build builds and deploy installs.
IMG ?= ecotracker-operator:dev
# The image of the metering sidecar that the operator adds to jobs, named after IMG.
METER_IMG ?= $(subst ecotracker-operator,ecotracker-meter,$(IMG))
TWO_IMAGES := test '$(IMG)' != '$(METER_IMG)' || { echo "set METER_IMG too: the meter has an image of its own" >&2; exit 1; }
# Options of every go test below, for example TESTFLAGS=-race.
TESTFLAGS ?=

CONTROLPLANE := bin/controlplane-tool
CONTROLLER_GEN := bin/controller-gen
KUSTOMIZE := bin/kustomize
CRD_REF_DOCS := bin/crd-ref-docs
GOLANGCI_LINT := bin/golangci-lint
API_LINT := bin/golangci-lint-kube-api-linter
ACTIONLINT := bin/actionlint
CYCLONEDX := bin/cyclonedx-gomod
GOVULNCHECK := bin/govulncheck
HELM := bin/helm
KREW := bin/krew
KREW_VALIDATE := bin/validate-krew-manifest

# What the binaries say of themselves.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# Packages whose tests need an API server; test/e2e needs a whole cluster.
NEEDS_APISERVER := /internal/controller|/test/envtest
NEEDS_CLUSTER := /test/(e2e|faults|install|perf)
E2E := go test ./test/e2e/... -count=1 -v -timeout 40m $(TESTFLAGS)

##@ Start here

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-zA-Z0-9_.\/-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build $(CONTROLPLANE) ## Watch the operator work, on kind where docker answers, else on a control plane of its own.
	hack/cluster.sh --nodes=kwok -- hack/demo.sh

##@ Test

.PHONY: test
test: test-unit test-envtest test-faults test-docs test-kwok test-install ## Every test that needs no root: units, API server, faults, end to end on simulated nodes, install.

.PHONY: test-unit
test-unit: $(HELM) $(KUSTOMIZE) $(KREW) $(KREW_VALIDATE) ## The tests of the packages that need no API server.
	packages=$$(go list ./... | grep -vE '$(NEEDS_APISERVER)|$(NEEDS_CLUSTER)'); \
	  go test $(TESTFLAGS) $$packages
	go test -C hack/controlplane $(TESTFLAGS) ./...
	go test -C hack/release $(TESTFLAGS) ./...
	go test -C test/meter -v $(TESTFLAGS) ./... # -v tells what is skipped: the npm SDKs need node

.PHONY: fuzz
fuzz: ## Feed every parser 50,000 mutations of good input.
	grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z]+' internal | cut -c6- | while read -r target; do \
	  package=$$(grep -rlE --include='*_test.go' "^func $$target\(" internal | xargs dirname); \
	  go test "./$$package" -run '^$$' -fuzz "^$$target\$$" -fuzztime 50000x; \
	done

.PHONY: test-envtest
test-envtest: $(CONTROLPLANE) ## The controllers on a real API server.
	assets=$$($(CONTROLPLANE) binaries); \
	  packages=$$(go list ./... | grep -E '$(NEEDS_APISERVER)'); \
	  KUBEBUILDER_ASSETS=$$assets go test $(TESTFLAGS) $$packages; \
	  PATH=$$assets:$$PATH CONTROLPLANE_TOOL="$(CURDIR)/$(CONTROLPLANE)" go test -C hack/controlplane -run SideBySide $(TESTFLAGS) ./...

.PHONY: test-faults
test-faults: build $(CONTROLPLANE) ## The real manager while requests, processes, API servers and etcd fail.
	KUBEBUILDER_ASSETS=$$($(CONTROLPLANE) binaries) go test ./test/faults/... -count=1 -timeout 40m $(TESTFLAGS)

.PHONY: soak
soak: build $(CONTROLPLANE) ## Half an hour of random edits and faults, with a manager killed every 60 to 90 s (SOAK=30m).
	KUBEBUILDER_ASSETS=$$($(CONTROLPLANE) binaries) SOAK=$(or $(SOAK),30m) go test ./test/faults -count=1 -v -timeout 2h -ginkgo.v -ginkgo.focus='soak'

.PHONY: perf
perf: build $(CONTROLPLANE) ## Measure throughput, lateness, memory and restarts; PERF_FLAGS="-perf.jobs=10000 -perf.storm=10000".
	mkdir -p bin/perf
	KUBEBUILDER_ASSETS=$$($(CONTROLPLANE) binaries) go test ./test/perf -count=1 -v -timeout 2h -run TestPerf \
	  -perf.run -perf.out=$(CURDIR)/bin/perf/results.json $(PERF_FLAGS)

.PHONY: perf-scale
perf-scale: build $(CONTROLPLANE) ## Measure what a job costs as ever more of them wait; PERF_FLAGS="-perf.curve=1000,100000".
	mkdir -p bin/perf
	KUBEBUILDER_ASSETS=$$($(CONTROLPLANE) binaries) go test ./test/perf -count=1 -v -timeout 2h -run TestScale \
	  -perf.run -perf.out=$(CURDIR)/bin/perf/scale.json $(PERF_FLAGS)

.PHONY: bench-report
bench-report: $(CONTROLPLANE) ## Measure kubectl carbon report of 10,000 jobs on a real API server.
	KUBEBUILDER_ASSETS=$$($(CONTROLPLANE) binaries) go test ./test/envtest/report -run '^$$' -bench Report -benchtime 5x -timeout 30m

.PHONY: bench-meter
bench-meter: ## Measure what the meter adds to a call, beside direct calls; METER_FLAGS=-overhead.quiet judges times.
	mkdir -p bin/perf
	go test ./cmd/meter -run '^$$' -bench Overhead -benchtime 1x -timeout 20m -overhead.out=$(CURDIR)/bin/perf/meter.json $(METER_FLAGS)

.PHONY: test-kwok
test-kwok: build $(CONTROLPLANE) ## End to end on simulated nodes; fails on a right that the operator lacks or does not use.
	rm -f bin/e2e-audit.jsonl
	E2E_AUDIT_LOG=$(CURDIR)/bin/e2e-audit.jsonl $(CONTROLPLANE) run --nodes=kwok \
	  --apiserver-arg=audit-log-path=$(CURDIR)/bin/e2e-audit.jsonl --apiserver-arg=audit-policy-file=$(CURDIR)/test/e2e/audit-policy.yaml \
	  --apiserver-arg=audit-log-maxsize=10000 --apiserver-arg=enable-admission-plugins=OwnerReferencesPermissionEnforcement -- $(E2E)

.PHONY: test-install
test-install: build dist/install.yaml $(HELM) $(CONTROLPLANE) ## Install, rights, abuse, upgrade and uninstall, by the commands of the documents.
	$(CONTROLPLANE) run --nodes=kwok -- go test ./test/install/... -count=1 -timeout 30m $(TESTFLAGS)

.PHONY: test-docs
test-docs: build $(CONTROLPLANE) ## Run the commands of the documents, on simulated nodes.
	$(CONTROLPLANE) run --nodes=kwok -- go test ./test/docs -run TestTheCommandsOfTheDocuments -count=1 -v -timeout 20m $(TESTFLAGS)

.PHONY: test-e2e
test-e2e: build $(CONTROLPLANE) ## End to end on real nodes with real pods: kind where docker answers, else Linux and root.
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o bin/e2e-agent ./hack/e2eagent
	hack/cluster.sh --nodes=real --image=ecotracker.dev/meter:dev=bin/meter --image=ecotracker.dev/agent:dev=bin/e2e-agent -- $(E2E)

.PHONY: verify
verify: $(CONTROLLER_GEN) $(CRD_REF_DOCS) $(KUSTOMIZE) $(HELM) $(GOLANGCI_LINT) $(API_LINT) $(ACTIONLINT) ## Check that nothing is stale, untidy or against the rules.
	hack/verify.sh

##@ Develop

.PHONY: build
build: ## Build the manager, the meter and the kubectl plugin into bin/.
	CGO_ENABLED=0 go build -trimpath -o bin/ \
	  -ldflags="-X github.com/ecotracker-dev/ecotracker-operator/internal/version.stamped=$(VERSION)" ./cmd/...

.PHONY: run
run: ## Run the manager here, against the cluster of the current kubeconfig.
	go run ./cmd/manager

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format all Go code.
	$(GOLANGCI_LINT) fmt
	cd test/meter && ../../$(GOLANGCI_LINT) fmt

.PHONY: lint
lint: $(GOLANGCI_LINT) $(API_LINT) ## Lint all Go code, and the API by the conventions of Kubernetes.
	$(GOLANGCI_LINT) run
	cd hack/controlplane && ../../$(GOLANGCI_LINT) run
	cd hack/release && ../../$(GOLANGCI_LINT) run
	cd test/meter && ../../$(GOLANGCI_LINT) run
	$(API_LINT) run --config .golangci-api.yml ./api/...

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate the deep-copy code of the API.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Generate the CRDs and the manager's role.
	$(CONTROLLER_GEN) rbac:roleName=manager-role crd:generateEmbeddedObjectMeta=true \
	  paths=./api/... paths=./internal/controller/... \
	  output:crd:artifacts:config=config/crd/bases output:rbac:dir=config/rbac
	go run ./hack/trimcrd config/crd/bases/*.yaml

.PHONY: docs
docs: $(CRD_REF_DOCS) ## Generate the references of the API, of each kind and of the metrics, and the tables of what was measured.
	mkdir -p docs
	$(CRD_REF_DOCS) --log-level=ERROR --source-path=api --config=hack/crd-ref-docs.yaml \
	  --renderer=markdown --output-path=docs/api.md
	go run ./hack/metricsdoc docs/metrics.md
	hack/adr-index.sh
	for kind in CarbonAwareJob CarbonBudget GridRegion; do \
	  go run ./hack/kinddocs $$kind config/crd/bases/carbon.ecotracker.dev_$${kind,,}s.yaml docs/operations.md docs/$${kind,,}.md; \
	done
	go run ./hack/perfdoc test/perf docs/performance.md docs/images/scale-curve.svg

.PHONY: docs-output
docs-output: ## Refresh what the documents show of kubectl carbon: outputs, and pictures (needs chromium).
	hack/docs-output.sh

.PHONY: clean
clean: ## Remove what was built, the control plane's binaries included.
	rm -rf bin dist

##@ Install

.PHONY: docker-build
docker-build: ## Build the images of the manager and the meter (IMG=name:tag).
	@$(TWO_IMAGES)
	docker build --build-arg VERSION='$(VERSION)' -t $(IMG) .
	docker build --build-arg VERSION='$(VERSION)' --target meter -t $(METER_IMG) .

# Kustomize knows best whether the file is up to date.
.PHONY: dist/install.yaml
dist/install.yaml: $(KUSTOMIZE) ## Write the one file that installs everything (IMG=name:tag, OVERLAY=namespaced for some namespaces).
	@$(TWO_IMAGES)
	mkdir -p dist
	$(KUSTOMIZE) build config/$(or $(OVERLAY),default) | sed -e 's|image: ecotracker-operator:dev$$|image: $(IMG)|' -e 's|--meter-image=ecotracker-meter:dev$$|--meter-image=$(METER_IMG)|' > $@

.PHONY: install
install: $(KUSTOMIZE) ## Install the CRDs into the cluster of the current kubeconfig.
	$(KUSTOMIZE) build config/crd | kubectl apply -f -

.PHONY: deploy
deploy: dist/install.yaml ## Install the CRDs and the manager (IMG=name:tag).
	kubectl apply -f dist/install.yaml

##@ Release

.PHONY: release-dry-run
release-dry-run: $(CYCLONEDX) $(KUSTOMIZE) $(HELM) ## Build all that a release has into dist/release: binaries, images, SBOMs, checksums (no network).
	go build -C hack/release -o ../../bin/release-images .
	VERSION='$(VERSION)' hack/release.sh

.PHONY: reproducible
reproducible: ## Build the release of the last commit twice, in two places, and compare every byte.
	hack/reproducible.sh

.PHONY: vulnerabilities
vulnerabilities: $(GOVULNCHECK) ## Look for known vulnerabilities in what is called (needs the network).
	hack/vulnerabilities.sh

# --- tools, built once from hack/tools ---

$(CONTROLLER_GEN) $(KUSTOMIZE) $(CRD_REF_DOCS): hack/tools/go.mod
$(CONTROLLER_GEN): PKG := sigs.k8s.io/controller-tools/cmd/controller-gen
$(KUSTOMIZE): PKG := sigs.k8s.io/kustomize/kustomize/v5
$(CRD_REF_DOCS): PKG := github.com/elastic/crd-ref-docs
$(CONTROLLER_GEN) $(KUSTOMIZE) $(CRD_REF_DOCS):
	go build -C hack/tools -o ../../$@ $(PKG)
	@touch $@

$(GOLANGCI_LINT) $(API_LINT): hack/tools/lint/go.mod
$(GOLANGCI_LINT): PKG := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(API_LINT): PKG := sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter
$(GOLANGCI_LINT) $(API_LINT):
	go build -C hack/tools/lint -o ../../../$@ $(PKG)
	@touch $@

$(ACTIONLINT) $(CYCLONEDX) $(GOVULNCHECK): hack/tools/ci/go.mod
$(ACTIONLINT): PKG := github.com/rhysd/actionlint/cmd/actionlint
$(CYCLONEDX): PKG := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
$(GOVULNCHECK): PKG := golang.org/x/vuln/cmd/govulncheck
$(ACTIONLINT) $(CYCLONEDX) $(GOVULNCHECK):
	go build -C hack/tools/ci -o ../../../$@ $(PKG)
	@touch $@

$(HELM): hack/tools/helm/go.mod
	go build -C hack/tools/helm -o ../../../$@ helm.sh/helm/v4/cmd/helm
	@touch $@

$(KREW) $(KREW_VALIDATE): hack/tools/krew/go.mod
	go build -C hack/tools/krew -o ../../../$@ sigs.k8s.io/krew/cmd/$(notdir $@)
	@touch $@

# go build knows best whether the control-plane tool is up to date.
.PHONY: $(CONTROLPLANE)
$(CONTROLPLANE):
	go build -C hack/controlplane -o ../../bin/controlplane-tool .
