# `make help` lists the targets. All results are in .bin and .deps, which are first in PATH. Builds, tests
# and lint are compiled the same way, so that BuildKit is compiled once for all. grpcnotrace leaves out gRPC's pages for debugging,
# and html/template with them.
export CGO_ENABLED := 0
export GOFLAGS := $(shell go env GOFLAGS 2>/dev/null) -trimpath -tags=grpcnotrace
export PATH := $(CURDIR)/.bin:$(CURDIR)/.deps/bin:$(CURDIR)/.deps/qemu/usr/bin:$(PATH):/usr/sbin:/sbin

# The parts that make test needs: those that mtool itself needs.
OWNPARTS := qemu,registry,unprivileged

# The real parts that make interop must not skip silently. Some are for root only.
comma := ,
empty :=
space := $(empty) $(empty)
any = ^($(subst $(space),|,$(strip $(1))))
PARTS := chromium,shells,qemu,registry,conformance,cosign,frontend,readers,crane,regctl,oras,buildx,skopeo,podman,strace,unprivileged
ROOTPARTS := $(PARTS),docker,overlay,buildkit,netns,ssh$(if $(wildcard /dev/fuse),$(if $(wildcard /dev/loop-control),$(comma)exfat))
REQUIRE ?= $(if $(filter 0,$(shell id -u)),$(ROOTPARTS)$(comma)buildah,$(PARTS))$(comma)actionlint$(if $(filter no,$(DEBIAN)),,$(comma)debian)

# Debian's file systems of other architectures, which testdata/rootfs.sh downloads. If apt has no Debian mirror, set
# $$MTOOL_DEBIAN_MIRROR to one; DEBIAN=no skips the tests that need them.
DEBIAN ?= debian
export DEBIAN
DEBIANS := amd64 arm64 armhf i386 ppc64el riscv64 s390x

# Real packages with files for other machines (testdata/zoo.txt). They need npm and a Debian mirror.
ZOO := $(if $(filter no,$(DEBIAN)),,$(if $(shell command -v npm),$(comma)zoo))

# The race detector takes minutes for what links BuildKit: `make long` does that.
PURE := ./compose/... ./inspect/... ./registry/...
LINKED := ./build/... ./cmd/...

# Tests that compute long in one goroutine, where the race detector has nothing to find: make race leaves them out.
ALONE := TestARMAttributes TestAgreesWith TestAsRuntimesDo TestBombs TestChunkedUpload TestDamagedBlob \
	TestEncodeProperties TestGoBuildInfoAnywhere TestGoPlugin TestHostileScripts TestMemory TestMutantsDiffer \
	TestNeedsEnd TestPackagesEnd TestPlantedInDebian TestReadBounds TestResolveAsReaders TestZoo

# A script of each group of commands, for make quick.
QUICK := amend-at-once build-lint ci-gate conditions create-push-inspect deep-entrypoint-only deploy-folder diff duplicate-platform \
	exit-codes from-files json-schema lying-lists moved-source not-found workers-apparmor

# The tests of cmd/mtool that need more than OWNPARTS, or much time. TestMakefile compares this list with the tests.
PEERTESTS := TestIntegration TestRootless TestBuilders TestDebian TestEngineDial TestFaultMatrix TestKill TestManyProcesses \
	TestMemoryOfHugeLayers TestMemoryOfInspect TestMemoryOfLists TestModuleInstall TestNoLocks TestPowerLoss TestSyncFails \
	TestStalledWorker TestWorkflows TestWorkflowsLint

# .ci/run runs make test WITH=all and make interop WITH=all at the same time. The first then has all real parts, so that
# cmd/mtool is linked and run once, and leaves the pure packages to the second.
TESTPARTS = $(if $(filter all,$(WITH)),MTOOL_TEST_REQUIRE=$(REQUIRE),MTOOL_TEST_ONLY=yes MTOOL_TEST_REQUIRE=$(OWNPARTS))

# Prints each test when it ends, and the output of failed tests. The limit is for tests that hang.
LIMIT := -timeout=3h
GOTEST := gotestsum --format testname --hide-summary skipped -- $(LIMIT)

# Scripts mostly wait, so more of them run at once than there are processors. go test prints the results of parallel tests only
# after all of them have ended; with TELL each script prints a line when it ends.
SCRIPTS := -parallel=4
TELL := MTOOL_TEST_PROGRESS=/proc/$$$$/fd/2

# The packages with uncommitted changes.
CHANGED = $(addprefix ./,$(sort $(dir $(filter-out testdata/%,$(shell git diff --name-only --diff-filter=d HEAD -- '*.go'; git ls-files --others --exclude-standard -- '*.go')))))

.PHONY: help build release docs install install-deps uninstall registry deps tools demo quick test interop race reading script integration long soak lint fmt bench module clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'

build: ## mtool, as one static binary, into .bin
	@testdata/deps.sh go
	@[ -x .bin/mtool ] || go list -deps ./cmd/mtool >/dev/null # downloads, and says so
	@[ -x .bin/mtool ] || echo 'compiling mtool: about five minutes on two cores the first time, seconds later'
	go build -ldflags='-s -w' -o .bin/mtool ./cmd/mtool

deps: ## the programs of the machine that `mtool build` needs (DEPS=no: only say what is missing)
	testdata/deps.sh build

tools: ## the programs that make interop compares with
	testdata/deps.sh interop
	testdata/tools.sh
	[ $(DEBIAN) = no ] || testdata/rootfs.sh $(DEBIANS) .deps/rootfs
	[ $(DEBIAN) = no ] || testdata/rootfs.sh --dpkg arm64 .deps/debian
	[ -z "$(ZOO)" ] || testdata/zoo.sh short .deps/zoo

PREFIX ?= $(HOME)/.local
HOME_OF_MTOOL := $(or $(MTOOL_HOME),$(or $(XDG_DATA_HOME),$(HOME)/.local/share)/mtool)

docs: build ## man pages, completions and a reference in Markdown, in .bin/docs
	.bin/mtool docs .bin/docs

install: install-deps build ## mtool, completions and emulators below PREFIX (~/.local) and MTOOL_HOME; nothing system-wide but runc and uidmap
	install -D .bin/mtool $(PREFIX)/bin/mtool
	install -d $(PREFIX)/share/bash-completion/completions $(PREFIX)/share/zsh/site-functions $(PREFIX)/share/fish/vendor_completions.d
	.bin/mtool completion bash >$(PREFIX)/share/bash-completion/completions/mtool
	.bin/mtool completion zsh >$(PREFIX)/share/zsh/site-functions/_mtool
	.bin/mtool completion fish >$(PREFIX)/share/fish/vendor_completions.d/mtool.fish
	[ ! -d .deps/qemu ] || { install -d -m 700 $(HOME_OF_MTOOL) && install -d $(HOME_OF_MTOOL)/emulators && cp .deps/qemu/usr/bin/qemu-*[a-z0-9] $(HOME_OF_MTOOL)/emulators/; }
	@case ":$(PATH):" in *:$(PREFIX)/bin:*) ;; *) echo 'add it to PATH: export PATH=$(PREFIX)/bin:$$PATH' ;; esac

install-deps:
	@PREFIX=$(PREFIX) testdata/deps.sh install

uninstall: ## remove what make install copied below PREFIX; images and emulators stay in MTOOL_HOME
	rm -f $(PREFIX)/bin/mtool $(PREFIX)/share/bash-completion/completions/mtool $(PREFIX)/share/zsh/site-functions/_mtool $(PREFIX)/share/fish/vendor_completions.d/mtool.fish

registry: build ## serve the local store as a writable registry at 127.0.0.1:5000, until Ctrl-C
	.bin/mtool serve --writable

demo: deps build ## the example of README.md, each command shown; in a temporary folder
	testdata/demo.sh

quick: ## what most changes need, in half a minute: vet of what changed, the pure packages, a script of each group of commands
	[ -z "$(CHANGED)" ] || go vet $(CHANGED)
	go test -short $(PURE) ./cmd/internal/mutants ./cmd/internal/print
	go test -short -parallel=4 ./cmd/mtool -run '^TestScript$$/$(call any,$(QUICK))$$|^TestHouse$$'

test: ## what mtool does, with what it needs itself: Go, runc, uidmap, QEMU, a registry (DEPS=no: only say what is missing)
	testdata/deps.sh test
	testdata/tools.sh registry gotestsum
	@echo 'compiling the tests: some minutes on two cores the first time'
ifneq ($(WITH),all)
	go vet ./...
	$(GOTEST) -short $(PURE)
	@echo 'linking the tests of mtool: half a minute'
endif
	$(TELL) $(TESTPARTS) $(GOTEST) -count=1 $(SCRIPTS) $(LINKED)

interop: tools race reading ## the rest: with other tools (as root also Docker Engine and buildkitd), the race detector, faults, kills, limits of memory
ifneq ($(WITH),all)
	@echo 'linking the tests of mtool: half a minute'
	MTOOL_TEST_REQUIRE=$(REQUIRE) $(GOTEST) -count=1 ./cmd/internal/testparts
	$(TELL) MTOOL_TEST_REQUIRE=$(REQUIRE) MTOOL_TEST_DONE=$(OWNPARTS) $(GOTEST) -count=1 $(SCRIPTS) ./cmd/mtool -run '$(call any,$(PEERTESTS))$$'
endif

race: # the pure packages with the race detector
	@echo 'compiling with the race detector: some minutes on two cores the first time'
	CGO_ENABLED=1 $(GOTEST) -race -short -skip '$(call any,$(ALONE))' $(PURE)

reading: # the pure packages, with file systems and packages of Debian
	MTOOL_TEST_REQUIRE=readers,$(DEBIAN)$(ZOO)$(if $(filter 0,$(shell id -u)),$(comma)overlay) $(GOTEST) $(PURE)

script: ## the command line's scripts alone, offline: make script RUN=create
	go test ./cmd/mtool -run 'TestScript/$(RUN)'

integration: deps tools ## the scripts with real parts alone: make integration RUN=docker
	MTOOL_TEST_REQUIRE=$(REQUIRE) go test -count=1 -v $(LIMIT) $(SCRIPTS) ./cmd/mtool -run 'TestIntegration/$(RUN)'

long: deps tools ## what takes too long for every change: the race detector everywhere, a newer Docker Engine, repetition, fuzzing
	testdata/deps.sh long
	testdata/tools.sh dockerd28 dockerd29 ko cosign
	[ $(DEBIAN) = no ] || testdata/rootfs.sh --debootstrap arm64 .deps/debian
	[ $(DEBIAN) = no ] || testdata/rootfs.sh --dpkg amd64 arm64 armhf i386 s390x .deps/debian
	MTOOL_TEST_FULL=1 MTOOL_TEST_REQUIRE=$(REQUIRE)$(if $(filter no,$(DEBIAN)),,$(comma)debootstrap$(comma)snapshot)$(comma)ko$(comma)cosign3$(if $(filter 0,$(shell id -u)),$(comma)docker28$(comma)docker29) CGO_ENABLED=1 $(GOTEST) -race -count=1 -skip '$(SOAKED)' ./...
	CGO_ENABLED=1 MTOOL_TEST_REQUIRE=$(REQUIRE) $(GOTEST) -race -count=1 ./cmd/mtool -run '$(SOAKED)'
	$(GOTEST) -count=20 $(PURE)
	[ $(DEBIAN) = no ] || testdata/rootfs.sh --whole $(DEBIANS) .deps/rootfs
	[ -z "$(ZOO)" ] || testdata/zoo.sh long .deps/zoo
	MTOOL_TEST_FULL=1 MTOOL_TEST_REQUIRE=$(DEBIAN)$(ZOO) $(GOTEST) -count=1 ./inspect/binary ./inspect/deep
	testdata/fuzz.sh 60s

# Tests whose full runs take an hour each.
SOAKED := TestFaultMatrix|TestKill|TestManyProcesses

# MTOOL_TEST_SEED=N repeats the random choices of an earlier run, which every test prints.
soak: deps tools ## every cell of the fault matrix, 300 kills, then mixed commands under 1 % faults for DURATION (1h)
	MTOOL_TEST_FULL=1 MTOOL_TEST_REQUIRE=$(REQUIRE) go test -count=1 -v $(LIMIT) ./cmd/mtool -run '$(SOAKED)'
	MTOOL_TEST_SOAK=$(or $(DURATION),1h) go test -count=1 -v -timeout=0 ./cmd/mtool -run 'TestSoak'

# The architectures of the builder image, which needs Debian's files for them.
SYSTEMS := $(if $(filter no,$(DEBIAN)),,amd64 arm64 riscv64)

release: ## the files of a release in dist: make release VERSION=v1.0.0 (TARGETS="linux/amd64 …", IMAGE=REPO to push to, URL= of downloads)
	@[ -n "$(VERSION)" ] || { echo 'usage: make release VERSION=v1.0.0 [TARGETS="linux/amd64 darwin/arm64"] [IMAGE=registry.example.com/mtool]' >&2; exit 2; }
	testdata/deps.sh native
	testdata/tools.sh nfpm
	go -C testdata/tools/roots run . >.deps/roots.pem
	[ -z "$(SYSTEMS)" ] || testdata/rootfs.sh --worker $(SYSTEMS) .deps/systems
	@echo 'compiling: some minutes for each target on two cores the first time'
	go run ./cmd/internal/release -version '$(VERSION)' -targets '$(TARGETS)' -url '$(URL)' -image '$(IMAGE)' -packages -roots .deps/roots.pem -systems .deps/systems

lint: ## golangci-lint with .golangci.yml
	testdata/tools.sh golangci-lint
	golangci-lint run

fmt: ## gofumpt, and imports in order
	testdata/tools.sh golangci-lint
	golangci-lint fmt

bench: ## Go benchmarks
	go test -run='^$$' -bench=. -skip=BenchmarkBuilders -benchmem ./...

.PHONY: bench-build
bench-build: build deps tools ## mtool, buildctl, docker build and buildah build, side by side (as root; ROUNDS=5)
	MTOOL=$(CURDIR)/.bin/mtool go test -run='^$$' -bench=BenchmarkBuilders -benchtime=1x ./cmd/mtool

module: ## give the module the address where it is published: make module MODULE=github.com/you/mtool
	@go run ./testdata/module "$(MODULE)"

clean: ## delete what was built; downloads in .deps stay
	rm -rf .bin bench-run
