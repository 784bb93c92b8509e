/* SPDX-License-Identifier: Apache-2.0 */
/** @file What libmicrohttpd calls back. Include <microhttpd.h> first: only http*.c may see it. */
#pragma once

#include "controller/http/http_internal.h"

/** A connection came or went. `cls` is the struct http_door, here and below. */
void http_on_connection(void *cls, struct MHD_Connection *mc, void **socket_context,
			enum MHD_ConnectionNotificationCode toe);
/** The untouched target of a request, before anything else of it. */
void *http_on_uri(void *cls, const char *uri, struct MHD_Connection *mc);
/** Leaves targets as they are: http_uri.c decodes them, segment by segment. */
size_t http_no_unescape(void *cls, struct MHD_Connection *mc, char *text);
/** Headers, body, end of body, and every resumption. */
enum MHD_Result http_on_access(void *cls, struct MHD_Connection *mc, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_len, void **req_cls);
void http_on_completed(void *cls, struct MHD_Connection *mc, void **req_cls,
		       enum MHD_RequestTerminationCode toe);
