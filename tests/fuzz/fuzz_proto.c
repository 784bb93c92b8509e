/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte picks a message; what decodes must encode and decode to the same again. */
#include "common/err.h"
#include "common/proto.h"
#include "common/proto_escrow.h"
#include "common/proto_operations.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
	if (!ok)
		abort();
}

static void try_sightings(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT;
	struct proto_sightings m, back;

	if (proto_sightings_decode(data, size, &m, NULL) < 0)
		return;
	must(proto_sightings_encode(&m, &again) == 0);
	must(proto_sightings_decode(again.data, again.len, &back, NULL) == 0);
	must(back.n == m.n && back.first_seq == m.first_seq);
	proto_sightings_done(&back);
	proto_sightings_done(&m);
}

static void try_reports(const uint8_t *data, size_t size)
{
	struct proto_label_reports m;

	if (proto_label_reports_decode(data, size, &m, NULL) == 0)
		proto_label_reports_done(&m);
}

static void try_desired(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT;
	struct proto_desired m, back;

	if (proto_desired_decode(data, size, &m, NULL) < 0)
		return;
	must(proto_desired_encode(&m, &again) == 0);
	must(proto_desired_decode(again.data, again.len, &back, NULL) == 0);
	must(back.n_labels == m.n_labels);
	for (size_t i = 0; i < m.n_labels; i++)
		must(back.labels[i].flash_until_us == m.labels[i].flash_until_us &&
		     back.labels[i].sensors_until_us == m.labels[i].sensors_until_us);
	must(back.sensor_period_s == m.sensor_period_s);
	proto_desired_done(&back);
	proto_desired_done(&m);
}

static void try_results(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT;
	static struct proto_operation_results m, back;

	if (proto_operation_results_decode(data, size, &m, NULL) < 0)
		return;
	must(proto_operation_results_encode(&m, &again) == 0);
	must(proto_operation_results_decode(again.data, again.len, &back, NULL) == 0);
	must(memcmp(&back, &m, sizeof(m)) == 0);
}

static void try_escrow(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT;
	static struct proto_escrow m, back;

	if (proto_escrow_decode(data, size, &m, NULL) < 0)
		return;
	must(proto_escrow_encode(&m, &again) == 0);
	must(proto_escrow_decode(again.data, again.len, &back, NULL) == 0);
	must(memcmp(&back, &m, sizeof(m)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct proto_enroll_request request;
	static struct proto_enroll_response response;
	static struct proto_health health;
	struct proto_ack ack;
	size_t at;

	if (size == 0)
		return 0;
	switch (data[0] % 9) {
	case 0:
		try_sightings(data + 1, size - 1);
		break;
	case 1:
		try_reports(data + 1, size - 1);
		break;
	case 2:
		try_desired(data + 1, size - 1);
		break;
	case 3:
		(void) (proto_health_decode(data + 1, size - 1, &health, &at) < 0);
		break;
	case 4:
		(void) (proto_enroll_request_decode(data + 1, size - 1, &request, &at) < 0);
		break;
	case 5:
		(void) (proto_enroll_response_decode(data + 1, size - 1, &response, &at) < 0);
		break;
	case 6:
		(void) (proto_ack_decode(data + 1, size - 1, &ack, &at) < 0);
		break;
	case 7:
		try_results(data + 1, size - 1);
		break;
	case 8:
		try_escrow(data + 1, size - 1);
		break;
	}
	return 0;
}
