/* SPDX-License-Identifier: Apache-2.0 */
/* An imported file as a request: how it is asked for, and how its errors are told. */
#include "controller/http/http.h"
#include "controller/shop/csv_sheet.h"
#include <stdio.h>
#include <string.h>

bool csv_request_read(struct http_request *rq, bool *ret_dry_run)
{
	const char *type = http_header(rq, "Content-Type");
	int64_t dry;

	if (!http_query_int(rq, "dry_run", 0, 0, 1, &dry))
		return false;
	if (!type || strncmp(type, "text/csv", 8) != 0) {
		http_problem(rq, 415, "not-csv", "Send the file as text/csv.");
		return false;
	}
	*ret_dry_run = dry;
	return true;
}

void csv_sheet_reply_errors(struct http_request *rq, const struct csv_sheet *s, bool dry_run)
{
	json_t *errors = json_array(), *body;
	struct buf text = BUF_INIT;
	char detail[120], *dump;

	for (size_t i = 0; i < s->n_errors; i++) {
		const struct csv_error *e = &s->errors[i];
		json_t *o = json_pack("{s:I,s:s,s:s}", "line", (json_int_t) e->line, "code",
				      e->code, "detail", e->detail);

		if (e->column)
			json_object_set_new(o, "column", json_integer(e->column));
		json_array_append_new(errors, o);
	}
	snprintf(detail, sizeof detail, "The file has %llu errors; nothing was changed.",
		 (unsigned long long) s->error_count);
	body = json_pack("{s:s,s:s,s:i,s:s,s:s,s:b,s:I,s:o}", "type",
			 "urn:gondola:problem:bad-rows", "title", "The file has errors", "status",
			 422, "code", "bad-rows", "detail", detail, "dry_run", dry_run,
			 "error_count", (json_int_t) s->error_count, "errors", errors);
	dump = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	buf_put_str(&text, dump ? dump : "{}");
	free(dump);
	http_reply_buf(rq, 422, "application/problem+json", &text);
}
