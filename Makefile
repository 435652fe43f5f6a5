# What one does with Tidegate's sources. Every goal installs what it needs (scripts/setup says what) and builds what it
# runs; a second run does nothing that is done already. Debian 12; root, or a user with sudo.
JOBS ?= $(shell nproc)
SECONDS ?= 60
PREFIX ?= /usr/local
export TIDEGATE_JOBS := $(JOBS)

.DEFAULT_GOAL := help
.PHONY: help build demo test incidents twin bench lint format asan tsan fuzz pictures install clean
.NOTPARALLEL:

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Set JOBS=N to use other than all $(JOBS) cores."

# configure(preset, tests ON or OFF): once, and again when the presets change or the tests are wanted now. CMake sees to
# the rest by itself whenever ninja runs.
configure = @[ build/$(1)/build.ninja -nt CMakePresets.json ] && \
	{ [ $(2) = OFF ] || grep -qs '^BUILD_TESTING:BOOL=ON' build/$(1)/CMakeCache.txt; } || \
	cmake --preset $(1) -DBUILD_TESTING=$(2)
suite = ctest --test-dir build/$(1) -j$(JOBS) --output-on-failure $(ARGS)

build:  ## the program: build/release/bin/tidegate
	@scripts/setup build
	$(call configure,release,OFF)
	@ninja -C build/release -j$(JOBS) tidegate

demo:  ## a thousand clients on a private MariaDB, without and with the gate
	@scripts/setup demo
	$(call configure,release,OFF)
	@ninja -C build/release -j$(JOBS) tidegate
	@build/release/bin/tidegate demo $(ARGS)

test:  ## every test (ARGS='-R NAME' for some: they go to ctest)
	@scripts/setup test
	$(call configure,release,ON)
	@ninja -C build/release -j$(JOBS)
	@$(call suite,release)

incidents: build  ## the five incidents, without and with Tidegate, and a table (ARGS='--only 1,5 --pictures')
	@scripts/setup test
	@TIDEGATE=build/release/bin/tidegate /usr/bin/python3 -B tests/incidents/replay.py $(ARGS)

twin:  ## random sessions, directly and through the gate, must not differ: an hour (TIDEGATE_TWIN_SECONDS=N for another time)
	@scripts/setup test
	$(call configure,release,ON)
	@ninja -C build/release -j$(JOBS) tidegate twin
	@TIDEGATE=build/release/bin/tidegate TIDEGATE_TWIN_SECONDS=$${TIDEGATE_TWIN_SECONDS:-1800} \
	  /usr/bin/python3 -B -m pytest -q -s -p no:cacheprovider tests/twin

# No thread leaks: a forked child has none of its parent's threads, and ThreadSanitizer takes them for leaked.
asan tsan:
	@scripts/setup test
	$(call configure,$@,ON)
	@ninja -C build/$@ -j$(JOBS)
	@TSAN_OPTIONS=report_thread_leaks=0 LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 TIDEGATE_PATIENCE=4 $(call suite,$@)
asan: ## every test under AddressSanitizer and UndefinedBehaviorSanitizer
tsan: ## every test under ThreadSanitizer

fuzz:  ## every fuzz target for SECONDS=60 each, and a table of what they found
	@scripts/setup fuzz
	$(call configure,fuzz,OFF)
	@ninja -C build/fuzz -j$(JOBS)
	@scripts/fuzz $(SECONDS)

bench:  ## the figures of docs/performance.md, beside direct, a bare relay and HAProxy (ARGS=--quick)
	@scripts/setup bench
	$(call configure,bench,OFF)
	@ninja -C build/bench -j$(JOBS)
	@bench/run $(ARGS)

lint:  ## format, clang-tidy, shellcheck, pyflakes, the include table, headers that compile alone
	@scripts/setup lint
	$(call configure,release,ON)
	@scripts/lint

pictures: build  ## the pictures of docs/images that show the commands of the watch
	@scripts/setup test
	@TIDEGATE=build/release/bin/tidegate /usr/bin/python3 docs/images/make-watch.py

format:  ## puts all sources into the format that lint asks for
	@scripts/setup lint
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

install: build  ## the program and the library into PREFIX=/usr/local (DESTDIR is taken into account)
	@ninja -C build/release -j$(JOBS) tidegate_library
	@cmake --install build/release --prefix $(PREFIX) --strip

clean:  ## removes build/ (what fuzzing has learnt stays in .cache/)
	@rm -rf build
