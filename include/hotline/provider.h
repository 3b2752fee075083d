/* provider.h - the contract between the gateway and an SMS provider
 *
 * An adapter is one file in adapters/: a few pure functions and a table of facts.
 * It reads and writes bytes; it has no clock, no socket, no globals, no policy.
 * `now` and the channel's settings are arguments, results live in the request's arena.
 *
 *   check      are the channel's settings those the provider needs?  MUST name the key
 *   verify     is this request from whom it claims to be?     MUST be constant-time on secrets
 *   parse      bytes -> messages and receipts                  MUST accept unknown extra fields and statuses
 *   build      notice -> one HTTP request                      MUST be a POST, MUST carry attempt id where possible
 *   interpret  the provider's answer -> outcome                MUST answer UNKNOWN unless the body proves otherwise
 *   ask, learn what became of an attempt nobody answered       MUST only read at the provider
 *
 * MAY: leave check, parse (calls only), build with interpret (inbound only), ask with learn NULL. Registered by one
 * line in adapters/registry.def.
 */
#ifndef HOTLINE_PROVIDER_H
#define HOTLINE_PROVIDER_H

#include "hotline/error.h"
#include "hotline/http_parse.h"

struct hl_secret {
	struct hl_slice value;
};

/* hl_option - a setting that only this provider knows: a key of the channel's section. */
struct hl_option {
	const char *name;
	const char *fallback; /* NULL: must be given when the channel sends; "": may be left out */
	const char *words;    /* the values it may have, blank between them; NULL: any text */
	bool is_file;         /* the value names a file whose content is the setting */
	const char *help;
};

/* hl_setting - what the file says, or the fallback; in the order of the provider's options. */
struct hl_setting {
	const char *name, *value;
};

/* hl_channel - one [channel NAME] section, as the adapter sees it. */
struct hl_channel {
	const char *name, *provider;
	struct hl_slice from; /* our number at this provider */
	const char *send_url;
	const char *public_url;          /* base URL under which the provider reaches us, no trailing slash */
	const char *username;            /* of our account, where sending takes a login */
	struct hl_slice password;        /* likewise; not one of the secrets */
	const struct hl_secret *secrets; /* several while rotating; the first one signs */
	size_t n_secrets;
	const char *country;   /* calling code, "86" */
	const char *signature; /* text in 【】; providers with templates take it as a field of its own */
	const struct hl_setting *settings;
	size_t n_settings;
};

enum hl_verdict {
	HL_VERIFIED,
	HL_FORGED,     /* 401 */
	HL_WRONG_PATH, /* 404: path token does not fit */
};

/* A photo or recording that came with a text: where it lies at the provider. */
struct hl_media_ref {
	struct hl_slice url, type; /* type as the provider says, or empty */
};

/* One text from a phone. Slices live in the request's arena. */
struct hl_inbound {
	struct hl_slice external_id; /* provider's id; never empty (adapters without one derive it from the content) */
	struct hl_slice from, to;    /* as the provider spells them */
	struct hl_slice bytes;       /* text as received */
	struct hl_slice raw;         /* what is kept where bytes are no longer as received; empty: bytes */
	const char *charset;         /* of bytes, NULL: detect */
	const struct hl_media_ref *media;
	size_t n_media;
	/* Part 1..parts of a long text that the provider hands over piecewise; parts 0: the text is whole. */
	struct hl_slice part_ref; /* the provider's word for the whole */
	unsigned part, parts;
};

enum hl_receipt_state {
	HL_RECEIPT_BUFFERED, /* on its way */
	HL_RECEIPT_DELIVERED,
	HL_RECEIPT_UNDELIVERED, /* final: the phone did not get it */
	HL_RECEIPT_REJECTED,    /* final: the network did not take it */
	HL_RECEIPT_OTHER,       /* a status we do not know: logged, acknowledged, no effect */
};

struct hl_receipt {
	uint64_t attempt;            /* our id when the provider echoes it, else 0 */
	struct hl_slice external_id; /* provider's message id, or empty */
	enum hl_receipt_state state;
	struct hl_slice status_text; /* provider's word */
	bool is_opted_out;           /* the provider says that this phone wants nothing more from us */
};

struct hl_parsed {
	struct hl_inbound *messages;
	size_t n_messages;
	struct hl_receipt *receipts;
	size_t n_receipts;
	struct hl_slice ack; /* body of the 200 where it is not the table's; ptr NULL: the table's */
};

/* A parameter of a provider's template, already written as text. */
struct hl_param {
	struct hl_slice name, value;
};

/* One text to one phone, free text already rendered. */
struct hl_outbound {
	uint64_t attempt;     /* our id of this try, unique for ever */
	struct hl_slice to;   /* E.164 */
	struct hl_slice text; /* UTF-8 */
	bool is_gsm7;         /* text fits GSM-7 */
	/* For providers that take templates only: which one, and what is put into it, in the template's order. */
	struct hl_slice template_id;
	const struct hl_param *params;
	size_t n_params;
};

struct hl_request {
	const char *url;
	bool is_get; /* only what asks and changes nothing */
	struct hl_http_header *headers;
	size_t n_headers;
	struct hl_slice body;
};

enum hl_outcome {
	HL_OUT_ACCEPTED, /* provider has it */
	HL_OUT_LATER,    /* try again after delay */
	HL_OUT_REFUSED,  /* this text to this phone will never be taken */
	HL_OUT_CONFIG,   /* our account, key or route is wrong: nothing will be taken until mended */
	HL_OUT_UNKNOWN,  /* may have been taken */
};

struct hl_answer {
	enum hl_outcome outcome;
	int64_t delay_us;            /* LATER: at least this long; 0 = default back-off */
	struct hl_slice external_id; /* ACCEPTED: provider's message id, if it gave one */
	struct hl_slice detail;      /* provider's word, for the log and the attempt row: never a number or a text */
	bool is_opted_out;           /* REFUSED: because this phone wants nothing more from us */
};

/* hl_doubt - an attempt whose outcome is unknown. */
struct hl_doubt {
	uint64_t attempt;
	struct hl_slice external_id; /* if the provider gave one, else empty */
	struct hl_slice to;          /* E.164 */
	struct hl_slice text;        /* as it was sent */
	int64_t sent_us;             /* wall clock */
};

enum hl_found {
	HL_FOUND_NOTHING_YET, /* no proof either way: ask again or wait */
	HL_FOUND_TAKEN,       /* the provider has it; state and external_id tell more */
	HL_FOUND_ABSENT,      /* the provider knows of no such text: it was not sent */
};

struct hl_finding {
	enum hl_found found;
	enum hl_receipt_state state; /* TAKEN */
	struct hl_slice external_id; /* TAKEN: or empty */
	struct hl_slice detail;      /* provider's word */
};

struct hl_provider {
	const char *name;
	bool needs_secret;               /* no secret configured = refusal to start */
	bool has_given_secret;           /* the provider chooses its secrets, so their length is not ours to judge */
	bool needs_login;                /* likewise for username and password, of a channel that sends */
	bool needs_key;                  /* likewise for the password alone: an API key */
	bool needs_template;             /* sends approved templates only, never free text */
	bool is_fresh_only;              /* signatures carry a time: an old one is forged */
	bool has_path_token;             /* nothing is signed: /hook/NAME/SECRET, and then the path, is taken as well */
	const struct hl_option *options; /* ends with a name of NULL; NULL: none */
	const char *const *paths;        /* below /hook/NAME: "" for messages, "/receipt", ...; NULL-terminated */
	const char *voice;               /* the dialect it speaks below /voice (voice.h); NULL: no calls */
	const char *methods;             /* "POST" or "GET POST" */
	const char *ack_type;            /* content type of the 200 */
	/* ack - body of the 200 once everything is committed; NULL: {"message":N} of the first message. */
	const char *ack_body;

	/* HL_OK, or HL_CONFIG with the rule in err and the key that breaks it in *key_r; at start. */
	enum hl_class (*check)(const struct hl_channel *ch, const char **key_r, struct hl_error *err);
	enum hl_verdict (*verify)(const struct hl_channel *ch, const struct hl_http_request *req,
				  struct hl_slice subpath, int64_t now_us);
	/* HL_OK, or HL_INPUT with the field and the rule in err (answered 400). */
	enum hl_class (*parse)(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			       struct hl_parsed *out, struct hl_error *err);
	enum hl_class (*build)(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			       struct hl_arena *arena, struct hl_request *out, struct hl_error *err);
	void (*interpret)(const struct hl_channel *ch, int status, struct hl_slice body,
			  const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
			  struct hl_answer *out);
	enum hl_class (*ask)(const struct hl_channel *ch, const struct hl_doubt *doubt, int64_t now_us,
			     struct hl_arena *arena, struct hl_request *out, struct hl_error *err);
	void (*learn)(const struct hl_channel *ch, const struct hl_doubt *doubt, int status, struct hl_slice body,
		      struct hl_arena *arena, struct hl_finding *out);
};

/* hl_provider_find - by name; NULL if not registered. */
const struct hl_provider *hl_provider_find(const char *name);
/* hl_provider_at - i-th registered provider, NULL behind the last. */
const struct hl_provider *hl_provider_at(size_t i);
/* hl_provider_check - every required op is there; called at start. */
enum hl_class hl_provider_check(struct hl_error *err);

/* hl_channel_setting - value of one of the provider's options, "" when it was left out. */
const char *hl_channel_setting(const struct hl_channel *ch, const char *name);

/* hl_secret_matches - constant-time comparison of a presented token with any live secret. */
bool hl_secret_matches(const struct hl_channel *ch, struct hl_slice presented);

#endif
