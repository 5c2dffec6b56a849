# biometric: templates, matching and indexed 1:N search for PostgreSQL.
# Builds with PGXS; "make help" lists what there is.
#
# "make -f /path/to/Makefile" builds in the current directory.
srcdir := $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))
# files PATTERN...: in the sources, named as below srcdir
files = $(patsubst $(srcdir)/%,%,$(wildcard $(addprefix $(srcdir)/,$(1))))

EXTENSION = $(basename $(notdir $(wildcard $(srcdir)/*.control)))
MODULE_big = biometric
# The scripts are concatenated from rooms of src/sql, in this order.  What every type of template has is
# written once, in modality.sql, and stamped for TYPE:COST.
BIOMETRIC_SQL = index fingerprint iris
MODALITIES = fingerprint:5000 iris:100
BIOMETRIC_SQL_2 = records extract synthetic inspect activity score fusion nodes evidence evaluation report
WATCHLIST_SQL = agencies log captures persons lists gallery search partners review retention rights
DATA_built = biometric--2.0.sql biometric_watchlist--2.0.sql
PGFILEDESC = "biometric - templates, matching and indexed 1:N search"

# src/match, src/record and src/extract are plain C without PostgreSQL headers.
MATCH_SRCS := $(call files,src/match/*.c src/match/*/*.c src/match/*/*/*.c src/extract/*.c)
SRCS := $(MATCH_SRCS) $(call files,src/*.c src/record/*.c src/type/*.c src/index/*.c src/index/*/*.c src/search/*.c src/evidence/*.c)
OBJS = $(SRCS:.c=.o)
ALL_HEADERS := $(call files,src/*.h src/*/*.h src/*/*/*.h)

# Scores must agree to the bit on every platform: no fused multiply-add.
override PG_CPPFLAGS += -I$(srcdir)/src -ffp-contract=off
# Other extensions' symbols are loaded beside ours.
SHLIB_LINK += $(if $(filter linux,$(PORTNAME)),-Wl$(comma)--version-script=$(srcdir)/src/exports.map)
comma = ,
# Bitcode would only let the JIT inline functions that gain nothing from it.
override with_llvm = no

# pg_regress: every suite finds the extension created.
REGRESS = $(patsubst $(srcdir)/sql/%.sql,%,$(sort $(wildcard $(srcdir)/sql/*.sql)))
REGRESS_OPTS = --inputdir=$(srcdir) --load-extension=biometric
ISOLATION = $(patsubst $(srcdir)/test/isolation/specs/%.spec,%,$(sort $(wildcard $(srcdir)/test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation --outputdir=output_iso --load-extension=biometric
EXTRA_CLEAN = test/modality/toy.o test/modality/toy$(DLSUFFIX) test/modality/toy.sql test/crash/biometric$(DLSUFFIX) test/plain/build test/drivers/build test/bench/build test/fuzz/build test/train/build tmp_check output_iso

# The scripts below choose a PostgreSQL themselves unless told which.
ifneq ($(origin PG_CONFIG),undefined)
export PG_CONFIG
endif
PG_CONFIG ?= pg_config

# "cd" to a directory of ours must not lead elsewhere.
unexport CDPATH

# What needs no PostgreSQL to start with, so that a fresh machine can say it.
HOUSE = help setup demo demo-server demo-exchange demo-stop test doc-output fuzz valgrind bench format format-check lint kernel-test constants

.DEFAULT_GOAL = all

ifneq ($(filter-out $(HOUSE),$(or $(MAKECMDGOALS),all)),)
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
$(error $(PG_CONFIG) does not lead to the files for building extensions: install \
the package postgresql-server-dev-NN, or say "make PG_CONFIG=/path/to/pg_config"; \
"make demo" and "make test" install what they need)
endif
include $(PGXS)

ifneq ($(patsubst %/,%,$(srcdir)),.)
$(shell mkdir -p $(sort $(dir $(OBJS))))
endif

# Matching and resampling are arithmetic in loops; let the compiler vectorise it.
$(MATCH_SRCS:.c=.o) src/evidence/error_intervals.o: CFLAGS += -O3 -fno-math-errno -fno-trapping-math

STAMP = sed -e 's/@type@/$(word 1,$(subst :, ,$(1)))/g' -e 's/@cost@/$(word 2,$(subst :, ,$(1)))/g' $(srcdir)/src/sql/biometric/modality.sql

biometric--2.0.sql: $(wildcard $(srcdir)/src/sql/biometric/*.sql) Makefile
	{ printf '\\echo Use "CREATE EXTENSION biometric" to load this file. \\quit\n\n'; \
	  cat $(BIOMETRIC_SQL:%=$(srcdir)/src/sql/biometric/%.sql); \
	  $(foreach modality,$(MODALITIES),$(call STAMP,$(modality));) \
	  cat $(BIOMETRIC_SQL_2:%=$(srcdir)/src/sql/biometric/%.sql); } > $@

biometric_watchlist--2.0.sql: $(WATCHLIST_SQL:%=src/sql/watchlist/%.sql) Makefile
	{ printf '\\echo Use "CREATE EXTENSION biometric_watchlist CASCADE" to load this file. \\quit\n\n'; \
	  cat $(WATCHLIST_SQL:%=$(srcdir)/src/sql/watchlist/%.sql); } > $@

# A third modality, for the suite "modality": a module of its own, and the stamped SQL.
installcheck: test/modality/toy$(DLSUFFIX) test/modality/toy.sql

test/modality/toy.o: test/modality/toy.c $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -fPIC -c -o $@ $<

test/modality/toy.sql: src/sql/biometric/modality.sql
	@mkdir -p $(@D)
	$(call STAMP,toy:10) | sed 's/MODULE_PATHNAME/$$libdir\/biometric/' > $@

# A copy of the module that dies where it is told to, for test/t/018_killed.pl.  Only GNU's
# linker and those like it have --wrap.
test/crash/biometric$(DLSUFFIX): $(OBJS) test/crash/crash_point.c
	$(CC) $(CFLAGS) $(CPPFLAGS) -fPIC -shared -o $@ $(filter-out src/exports.map,$^) -Wl,--wrap=GenericXLogFinish $(LDFLAGS) $(LDFLAGS_SL) $(SHLIB_LINK)

biometric$(DLSUFFIX): src/exports.map

# PGXS does not follow headers.
$(OBJS): $(ALL_HEADERS)

# Modules and programs of their own, made where their libraries are: the decoders
# of pictures (image) and the loader (load).
PARTS = image load
all: $(PARTS:%=all-%)
install: $(PARTS:%=install-%)
uninstall: $(PARTS:%=uninstall-%)
clean: $(PARTS:%=clean-%)
part_targets = $(foreach part,$(PARTS),$(patsubst %,%-$(part),all install uninstall clean)) installcheck-image
$(part_targets):
	@mkdir -p src/$(lastword $(subst -, ,$@))
	@$(MAKE) --no-print-directory -C src/$(lastword $(subst -, ,$@)) -f $(abspath $(srcdir))/src/$(lastword $(subst -, ,$@))/Makefile \
		PG_CONFIG=$(PG_CONFIG) $(firstword $(subst -, ,$@))
.PHONY: $(part_targets)

# TAP tests of an installed extension, as PGXS runs them.
PROVE_TESTS ?= $(sort $(wildcard $(srcdir)/test/t/*.pl))
prove_installcheck:
	$(prove_installcheck)
.PHONY: prove_installcheck
endif

help:
	@sed -n 's/^#: //p' Makefile

#: make                  build with the PostgreSQL that pg_config names
#: make install          install into it (as its owner, often root)
#: make installcheck     SQL and isolation tests on a running server that has it installed
#: make prove_installcheck  TAP tests, on servers of their own
#:                       All take PG_CONFIG=/path/to/pg_config.
#:
#: On a fresh machine (Debian and its relatives), nothing installed but make:
#: make demo             packages, build, private server, 20 000 fingers, a search; leaves nothing behind
#: make demo-server      the same, and keeps the server running to play with
#: make demo-stop        stops and removes that server
#: make demo-exchange    two countries on two private servers: lists shared, a traveller, alerts both ways
#: make test             packages, build, every test there is
#: make test T=012 SQL=index_scan PLAIN=words
#:                       only these: servers (test/t), SQL suites, plain C; also ISOLATION=, DRIVERS=, DOC=; several in quotes
#: make test CASSERT=1   on a server with assertions, built from Debian's sources and kept in .cache
#: make test ARM=1       the plain C tests for arm64 as well, under qemu
#: make fuzz             each fuzz target for a minute (FUZZ="records 600": one, and for how many seconds)
#: make valgrind         a short script on a server under valgrind
#: make doc-output DOC=identify
#:                       run the examples of doc/identify.md and write their outputs into it: then read the difference
#: make bench            packages, build, how fast searches are: table and plots (BENCH=--quick, BENCH=--help)
#:
#: make setup            only install the Debian packages that demo and test need
#: make kernel-test      the plain C tests alone, under the address and undefined behaviour sanitizers
#: make constants        train the fingerprint matcher's constants from folders of records and pictures (BIOMETRIC_DATA=)
#: make format           clang-format, in place
#: make format-check     say what "make format" would change
#: make lint             clang-tidy
#: make clean

setup:
	@test/setup.sh test

demo:
	@test/setup.sh
	@test/stage.sh $(if $(filter-out 0 no,$(KEEP)),--keep) test/demo.sh
ifeq ($(filter-out 0 no,$(KEEP)),)
	@printf '\nThat server is gone.  To keep one running and play with it: make demo-server\n'
endif

demo-server:
	@test/setup.sh
	@test/stage.sh --keep test/demo.sh

demo-exchange:
	@test/setup.sh exchange
	@test/stage.sh test/demo/exchange.sh

demo-stop:
	@test/stage.sh --stop

# Only what was said on the command line selects tests, not the environment.
selected = $(foreach v,T SQL ISOLATION PLAIN DRIVERS DOC ARM,$(if $(findstring command,$(origin $(v))),$(v)="$($(v))"))

# switch NAME: whether it was given a value other than 0 and no
switch = $(filter-out 0 no,$($(1)))

test:
	@test/setup.sh test
	$(if $(call switch,ARM),@test/setup.sh arm)
ifneq ($(call switch,CASSERT),)
	@test/setup.sh asserts
	@PG_CONFIG=$$(test/cassert.sh) && export PG_CONFIG && test/stage.sh test/run.sh $(selected)
else
	@test/stage.sh test/run.sh $(selected)
endif

fuzz:
	@test/setup.sh fuzz
	@test/fuzz/run $(FUZZ)

valgrind:
	@test/setup.sh valgrind
	@test/stage.sh test/valgrind.sh

doc-output:
	@test/setup.sh
	@page=$(firstword $(wildcard $(DOC).md doc/$(DOC).md $(DOC))) && new=$$(mktemp) && \
	test/stage.sh test/documentation.pl --write "$$page" 3> "$$new" && cat "$$new" > "$$page"; rm -f "$$new"

bench:
	@test/setup.sh bench
	@test/bench/search $(BENCH)

kernel-test:
	@$(MAKE) --no-print-directory -C test/plain check

constants:
	@test/train/constants

format format-check lint:
	@test/style.sh $@

.PHONY: $(HOUSE)
