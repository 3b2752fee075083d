/* ledger_format.h (private to daemon/records) - what a format of the ledger does with rows */
#ifndef RECORDS_LEDGER_FORMAT_H
#define RECORDS_LEDGER_FORMAT_H

#include "columns.h"
#include "hotline/records.h"

struct ledger_format {
	enum hl_class (*open)(struct hl_ledger *ledger, const json_t *opened, struct hl_error *err);
	/* one case with its tasks, as hl.ledger gives it */
	void (*add)(struct hl_ledger *ledger, const json_t *row);
	/* false: what was written is not whole */
	bool (*close)(struct hl_ledger *ledger);
};

struct hl_ledger {
	struct hl_ledger_options options;
	const struct ledger_format *format;
	void *state; /* the format's own */
};

extern const struct ledger_format csv_format, json_format, xlsx_format;

/* cell_text - a field as text, "" when it is absent; scratch holds numbers. */
const char *cell_text(const json_t *row, const struct column *column, char *scratch, size_t scratch_bytes);

#endif
