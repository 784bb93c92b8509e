/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_common.h"

#include "controller/shop/image_store.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/gondola-images-XXXXXX";

static struct image_store_item item(const char *text)
{
	struct image_store_item it = {.data = (const uint8_t *) text, .len = strlen(text)};

	image_hash(it.data, it.len, it.hash);
	return it;
}

static void pictures_survive_and_are_stored_once(void **state)
{
	struct image_store_item items[] = {item("one"), item("two"), item("one")};
	struct image_store *st;
	struct buf b = BUF_INIT;
	uint8_t unknown[IMAGE_HASH_BYTES] = {0};

	(void) state;
	assert_int_equal(image_store_open(dir, &st), 0);
	assert_int_equal(image_store_put(st, items, 3, 1), 0);
	assert_int_equal(image_store_put(st, items, 2, 1), 0);
	image_store_close(st);
	assert_int_equal(image_store_open(dir, &st), 0);
	assert_int_equal(image_store_get(st, items[1].hash, &b), 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "two", 3);
	assert_int_equal(image_store_get(st, unknown, &b), -ENOENT);
	image_store_close(st);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_survive_and_are_stored_once),
	};
	char path[80];
	int r;

	if (!mkdtemp(dir))
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(path, sizeof path, "%s/images/data.mdb", dir);
	unlink(path);
	snprintf(path, sizeof path, "%s/images/lock.mdb", dir);
	unlink(path);
	snprintf(path, sizeof path, "%s/images", dir);
	rmdir(path);
	rmdir(dir);
	return r;
}
