/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs have in common: one call, a whole list, an object by its name. */
#include "common/err.h"
#include "controller/ctl/ctl.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PAGE       1000
#define UPLOAD_MAX (64u << 20)

/* Sends with a session. A session of before that has ended is told apart from a refusal. */
static int send_signed_in(struct ctl *c, const struct ctl_request *rq, struct ctl_reply *ret)
{
	int code = ctl_ensure_session(c);

	if (code != CTL_OK)
		return code;
	if (ctl_send(c, rq, ret) < 0) {
		ctl_reply_done(ret);
		return CTL_UNREACHABLE;
	}
	if (ret->status < 400)
		return CTL_OK;
	if (ret->status == 401 && !c->user)
		fprintf(stderr, "gondolactl: the session has ended; run `gondolactl login`\n");
	else
		ctl_print_problem(ret);
	ctl_reply_done(ret);
	return CTL_REFUSED;
}

int ctl_call(struct ctl *c, const char *method, const char *path, json_t *take_body,
	     json_t **ret_body)
{
	_cleanup_free_ char *text = take_body ? json_dumps(take_body, 0) : NULL;
	struct ctl_reply reply;

	*ret_body = NULL;
	json_decref(take_body);
	struct ctl_request rq = {
		.method = method, .path = path, .body = text, .body_len = text ? strlen(text) : 0};
	int code = send_signed_in(c, &rq, &reply);

	if (code != CTL_OK)
		return code;
	if (c->json && reply.body)
		ctl_print_json(reply.body);
	else
		*ret_body = json_incref(reply.body);
	ctl_reply_done(&reply);
	return CTL_OK;
}

bool ctl_number(const char *text, json_int_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return end != text && !*end && !errno;
}

int ctl_read_file(const char *name, struct buf *ret)
{
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	int r = f ? 0 : -errno;
	size_t n = f ? 65536 : 0;

	buf_init(ret, UPLOAD_MAX);
	while (n == 65536) {
		uint8_t *to = buf_extend(ret, 65536);

		n = to ? fread(to, 1, 65536, f) : 0;
		if (to)
			ret->len -= 65536 - n;
	}
	if (f) {
		r = ferror(f) ? -EIO : ret->err;
		if (f != stdin)
			fclose(f);
	}
	if (r < 0)
		fprintf(stderr, "gondolactl: cannot read %s: %s\n", name, err_str(r));
	return r < 0 ? CTL_REFUSED : CTL_OK;
}

int ctl_upload(struct ctl *c, const char *path, const char *content_type, const char *file,
	       json_t **ret_body)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct ctl_request rq = {.method = "POST", .path = path, .content_type = content_type};
	struct ctl_reply reply;
	int code = ctl_read_file(file, &text);

	*ret_body = NULL;
	if (code == CTL_OK)
		code = ctl_ensure_session(c);
	if (code != CTL_OK)
		return code;
	rq.body = text.data ? (const void *) text.data : "";
	rq.body_len = text.len;
	if (ctl_send(c, &rq, &reply) < 0) {
		code = CTL_UNREACHABLE;
	} else if (reply.status >= 400) {
		if (c->json && reply.body)
			ctl_print_json(reply.body);
		else
			ctl_print_problem(&reply);
		code = CTL_REFUSED;
	} else if (c->json) {
		ctl_print_json(reply.body);
	} else {
		*ret_body = json_incref(reply.body);
	}
	ctl_reply_done(&reply);
	return code;
}

int ctl_list(struct ctl *c, const char *path, json_t **ret_items)
{
	json_t *all = json_array();
	_cleanup_free_ char *after = NULL;

	do {
		_cleanup_buf_ struct buf url = BUF_INIT;
		struct ctl_reply reply;

		buf_printf(&url, "%s%climit=%d", path, strchr(path, '?') ? '&' : '?', PAGE);
		if (after) {
			buf_put_str(&url, "&after=");
			ctl_escape(&url, after);
		}
		buf_put_u8(&url, 0);
		struct ctl_request rq = {.method = "GET", .path = (const char *) url.data};
		int code = send_signed_in(c, &rq, &reply);

		if (code != CTL_OK) {
			json_decref(all);
			return code;
		}
		json_array_extend(all, json_object_get(reply.body, "items"));
		const char *next = json_string_value(json_object_get(reply.body, "next"));

		free(after);
		after = next ? strdup(next) : NULL;
		ctl_reply_done(&reply);
	} while (after);
	*ret_items = all;
	return CTL_OK;
}

int ctl_show_list(struct ctl *c, const char *path, const struct ctl_column *columns, size_t n)
{
	json_t *items;
	int code = ctl_list(c, path, &items);

	if (code != CTL_OK)
		return code;
	if (c->json)
		ctl_print_json(items);
	else
		ctl_print_table(items, columns, n);
	json_decref(items);
	return CTL_OK;
}

int ctl_find_id(struct ctl *c, const char *path, const char *key, const char *value,
		const char *what, json_int_t *ret_id)
{
	json_t *items;
	const json_t *item;
	size_t i;
	int code = ctl_list(c, path, &items);

	if (code != CTL_OK)
		return code;
	code = CTL_REFUSED;
	json_array_foreach(items, i, item)
	{
		const char *v = json_string_value(json_object_get(item, key));

		if (v && strcasecmp(v, value) == 0) {
			*ret_id = json_integer_value(json_object_get(item, "id"));
			code = CTL_OK;
			break;
		}
	}
	json_decref(items);
	if (code != CTL_OK)
		fprintf(stderr, "gondolactl: there is no %s `%s`\n", what, value);
	return code;
}

int ctl_import(struct ctl *c, const char *path, const char *file, bool dry, json_t **ret_body)
{
	_cleanup_buf_ struct buf url = BUF_INIT;

	buf_printf(&url, "%s%cdry_run=%d", path, strchr(path, '?') ? '&' : '?', dry);
	buf_put_u8(&url, 0);
	if (!buf_ok(&url))
		return CTL_REFUSED;
	return ctl_upload(c, (const char *) url.data, "text/csv", file, ret_body);
}
