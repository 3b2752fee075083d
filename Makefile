# Everything is built into build/. `make run` and `make check` install what is missing themselves (README).
CC       ?= gcc
CFLAGS   ?= -O2 -g
WERROR   ?= -Werror
BUILD    ?= build
PKGS     := libevent libcurl jansson libpq inih cmocka libturbojpeg libpng libutf8proc icu-i18n libical libcrypto
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fno-strict-overflow \
            $(if $(findstring clang,$(CC)),,-ftrivial-auto-var-init=zero)
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wformat=2 \
            -Wvla -Wimplicit-fallthrough -Wundef -Wno-missing-field-initializers $(WERROR)
PKG_CF    = $(shell pkg-config --cflags libevent libcurl jansson libpq inih libutf8proc pangocairo 2>/dev/null)
CPPF     := -std=gnu11 -D_GNU_SOURCE -Iinclude -Idaemon
LIBS     := -levent -lcurl -ljansson -lpq -linih -lutf8proc -lturbojpeg -lpng -lcrypto -lm
ICU      := -licui18n -licuuc
CTL_LIBS := $(ICU) -lcsv -lical
OUT_LIBS := $(CTL_LIBS) -lxlsxwriter -lpangocairo-1.0 -lpango-1.0 -lcairo -lgobject-2.0 -lglib-2.0 -lqrencode
LDHARD   := -pie -Wl,-z,relro,-z,now,-z,noexecstack
SAN      := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# ICU, readers of tables and what draws records are for hotlinectl and tests only: the daemon does not link them.
ICU_SRC  := daemon/refdata/calendar_expand.c
OUT_SRC  := $(ICU_SRC) daemon/refdata/csv.c daemon/refdata/ical.c $(wildcard daemon/records/*.c)
LIB_SRC  := $(filter-out daemon/main.c $(OUT_SRC) $(wildcard daemon/ctl/*.c),$(wildcard daemon/*/*.c)) $(wildcard adapters/*.c)
# hotlinectl leaves what draws and learns, and the libraries for it, to hotlinectl-full (daemon/ctl/full.c).
FULL_SRC := daemon/ctl/records.c $(wildcard daemon/ctl/train*.c) $(wildcard daemon/records/*.c)
CTL_SRC  := $(filter-out $(FULL_SRC),$(wildcard daemon/ctl/*.c) $(OUT_SRC))
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_LIB := $(wildcard tests/lib/*.c)

LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/o/%.o)
CTL_OBJ  := $(CTL_SRC:%.c=$(BUILD)/o/%.o)
FULL_OBJ := $(filter-out $(BUILD)/o/daemon/ctl/full.o,$(CTL_OBJ)) $(FULL_SRC:%.c=$(BUILD)/o/%.o)
SAN_OBJ  := $(LIB_SRC:%.c=$(BUILD)/san/%.o) $(OUT_SRC:%.c=$(BUILD)/san/%.o) $(UNIT_LIB:%.c=$(BUILD)/san/%.o)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)

# The files in which a test build can end itself (include/hotline/crash.h); the rest of that daemon is the real one's.
FAULT_SRC := daemon/intake/intake.c daemon/intake/dialogue.c daemon/notify/outbox.c daemon/notify/settle.c daemon/notify/ticker.c \
             daemon/http/client_op.c daemon/intake/spool.c tests/faults/crash.c
FAULT_OBJ := $(FAULT_SRC:%.c=$(BUILD)/faults/o/%.o)
TOOLS     := $(BUILD)/tools/hl_load $(BUILD)/tools/hl_sink $(BUILD)/tools/hl_limits $(BUILD)/tools/hl_intake

# Fuzz targets: clang's libFuzzer, and the parts that read what others wrote. They need neither loop nor database.
FUZZ_CC  ?= clang
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_SRC := $(filter-out daemon/db/% daemon/serve/% daemon/loop/% daemon/notify/% daemon/intake/intake.c \
              daemon/intake/dialogue.c daemon/http/client%.c daemon/http/conn.c daemon/http/listen.c \
              daemon/http/server.c daemon/http/answer.c daemon/media/fetch.c daemon/media/keeper.c \
              daemon/voice/calls.c daemon/voice/told.c daemon/voice/transcribe.c daemon/voice/ringer.c,$(LIB_SRC)) $(ICU_SRC) tests/lib/refdata_fixture.c
FUZZ_OBJ := $(FUZZ_SRC:%.c=$(BUILD)/fuzz/o/%.o)
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

# Debian's own, which the packages python3-pytest, python3-pytest-xdist and python3-psycopg2 belong to.
PYTHON   ?= /usr/bin/python3

.PHONY: all tools bench clean unit-bins fuzz-bins deps run check unit it fuzz faults cross-check lint config-table law-table simplified-table
all: $(BUILD)/hotlined $(BUILD)/hotlinectl $(BUILD)/hotlinectl-full

$(BUILD)/hotlined: $(BUILD)/o/daemon/main.o $(BUILD)/libhotline.a
	$(CC) $(CFLAGS) $(LDHARD) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/hotlinectl: $(CTL_OBJ) $(BUILD)/libhotline.a
	$(CC) $(CFLAGS) $(LDHARD) $(LDFLAGS) -o $@ $^ $(LIBS) $(CTL_LIBS)
$(BUILD)/hotlinectl-full: $(FULL_OBJ) $(BUILD)/libhotline.a
	$(CC) $(CFLAGS) $(LDHARD) $(LDFLAGS) -o $@ $^ $(LIBS) $(OUT_LIBS) -llinear
$(BUILD)/libhotline.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/o/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPF) $(CFLAGS) $(HARDEN) $(WARN) $(PKG_CF) -MMD -MP -c -o $@ $<

# Unit tests and the code under them run under ASan and UBSan.
$(BUILD)/san/libhotline.a: $(SAN_OBJ)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPF) -O1 -g $(SAN) $(WARN) $(PKG_CF) -Itests/lib -MMD -MP -c -o $@ $<
$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/san/libhotline.a
	@mkdir -p $(@D)
	$(CC) $(CPPF) -O1 -g $(SAN) $(WARN) $(PKG_CF) -Itests/lib -MMD -MP -MF $@.d -o $@ $< $(BUILD)/san/libhotline.a $(LIBS) $(OUT_LIBS) -lcmocka
unit-bins: $(UNIT_BIN)

# What tests and benchmarks need besides: a daemon with crash points, a load generator, a provider.
tools: $(TOOLS) $(BUILD)/faults/hotlined
$(BUILD)/faults/hotlined: $(BUILD)/o/daemon/main.o $(FAULT_OBJ) $(BUILD)/libhotline.a
	$(CC) $(CFLAGS) $(LDHARD) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/faults/o/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPF) -DHL_CRASH_POINTS $(CFLAGS) $(HARDEN) $(WARN) $(PKG_CF) -MMD -MP -c -o $@ $<
$(BUILD)/tools/hl_load: tests/bench/hl_load.c
$(BUILD)/tools/hl_sink: tests/fake/hl_sink.c
$(BUILD)/tools/hl_intake: tests/bench/hl_intake.c
# Reads calendar files, so it wants the zone rules.
$(BUILD)/tools/hl_limits: tests/bench/hl_limits.c $(ICU_SRC:%.c=$(BUILD)/o/%.o)
$(BUILD)/tools/hl_limits: LIBS += $(ICU)
$(TOOLS): $(BUILD)/libhotline.a
	@mkdir -p $(@D)
	$(CC) $(CPPF) $(CFLAGS) $(HARDEN) $(WARN) $(PKG_CF) $(LDHARD) -MMD -MP -MF $@.d -o $@ $(filter %.c %.o,$^) $(BUILD)/libhotline.a $(LIBS)

$(BUILD)/fuzz/libhotline.a: $(FUZZ_OBJ)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/fuzz/o/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPF) -O1 -g $(FUZZ_SAN) -fsanitize=fuzzer-no-link $(WARN) $(PKG_CF) -Itests/lib -MMD -MP -c -o $@ $<
$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/fuzz/libhotline.a
	$(FUZZ_CC) $(CPPF) -O1 -g $(FUZZ_SAN) -fsanitize=fuzzer $(WARN) $(PKG_CF) -Itests/lib -MMD -MP -MF $@.d -o $@ $< \
	  $(BUILD)/fuzz/libhotline.a $(LIBS) $(ICU) -lcmocka
fuzz-bins: $(FUZZ_BIN)
	@$(PYTHON) tests/fuzz/seeds.py $(BUILD)/fuzz/seeds

# What people and CI call. The scripts say what they do; nothing else is hidden here.
LEVEL    ?= run
ROUNDS   ?= 3
SECONDS  ?= 10
REPORTS  ?= 0
TIME     ?= 60
deps:
	@daemon/run/deps.sh $(LEVEL)
run:
	@daemon/run/run.sh
bench: all tools
	@$(PYTHON) tests/bench/bench.py --rounds $(ROUNDS) --seconds $(SECONDS) --reports $(REPORTS)
	@$(PYTHON) tests/bench/clocks.py
check:
	@daemon/run/deps.sh check
	@$(PYTHON) tests/run.py --build $(BUILD)
unit it:
	@$(PYTHON) tests/run.py --build $(BUILD) $@
# TIME seconds for each target, or for TARGET=name alone. What it finds stays in $(BUILD)/fuzz/findings.
fuzz: fuzz-bins
	@$(PYTHON) tests/fuzz/fuzz.py --build $(BUILD) --seconds $(TIME) $(TARGET)
# The long forms: every crash point alone, 30 kills, each bad provider for itself. Prints a table of faults.
faults:
	@daemon/run/deps.sh check
	@$(PYTHON) tests/run.py --build $(BUILD) faults-long
# Our adapters beside the providers' own Node packages (npm installs them into $(BUILD)/cross): what they sign we verify.
cross-check:
	@$(PYTHON) tests/cross/cross_check.py $(BUILD)
lint: $(BUILD)/hotlined $(BUILD)/hotlinectl
	@$(PYTHON) tests/lint/lint.py --selftest
	@$(PYTHON) tests/lint/lint.py --all --build $(BUILD)
# Puts the table of settings that the program prints into README.md.
config-table: $(BUILD)/hotlined
	@$(PYTHON) tests/lint/config_table.py $(BUILD)
# Puts the law of cases and tasks, as the program prints it, into README.md.
law-table: $(BUILD)/hotlinectl
	@$(PYTHON) tests/lint/law_table.py $(BUILD)

# Which characters are traditional forms of which, as ICU knows them.
simplified-table: $(BUILD)/unit/test_simplified
	HL_TEST=1 HL_SIMPLIFIED_TABLE=1 $< > daemon/base/simplified.new
	mv daemon/base/simplified.new daemon/base/simplified.def

clean:
	rm -rf $(BUILD)

-include $(BUILD)/o/daemon/main.d $(FAULT_OBJ:.o=.d) $(TOOLS:=.d) $(LIB_OBJ:.o=.d) $(CTL_OBJ:.o=.d) $(FULL_OBJ:.o=.d) $(SAN_OBJ:.o=.d) $(UNIT_BIN:=.d) $(FUZZ_OBJ:.o=.d) $(FUZZ_BIN:=.d)
