// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "btf/cache.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/io.h"

/* To be raised whenever the format changes, or the meaning of an answer. */
#define CACHE_VERSION 4
#define CACHE_MAGIC   "ktfacts"
#define CACHE_MAX     (4 << 20) /* bytes; real ones have a few thousand */

static void hex(char *to, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
}

static void hash_hex(char *to, XXH128_hash_t hash)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	hex(to, canonical.digest, sizeof(canonical.digest));
}

struct cache_name cache_content_hash(const void *data, size_t len)
{
	struct cache_name name = {0};

	hash_hex(name.s, XXH3_128bits(data, len));
	return name;
}

struct cache_name cache_key(const uint8_t *id, size_t id_len, const void *data, size_t len)
{
	struct cache_name key = {"id"};

	if (!id_len || id_len > 64) {
		key = cache_content_hash(data, len);
		memmove(key.s + 1, key.s, 32);
		key.s[0] = 'x';
	} else {
		hex(key.s + 2, id, id_len);
	}
	return key;
}

struct cache_name cache_facts_name(const struct cache_name *key, const struct kfacts_want *wants,
				   size_t n)
{
	struct cache_name name = {0};
	struct kt_buf all = KT_BUF_INIT;
	char hash[33] = "";

	for (size_t i = 0; i < n; i++) {
		const char *path = wants[i].path ? wants[i].path : "";

		kt_buf_printf(&all, "%d %d %s %s\n", wants[i].kind, wants[i].optional,
			      wants[i].name, path);
	}
	/* Without memory the name stays empty, which no file in the cache has. */
	if (!kt_buf_failed(&all)) {
		hash_hex(hash, XXH3_128bits(all.data, all.len));
		snprintf(name.s, sizeof(name.s), "facts-%.140s-%s", key->s, hash);
	}
	kt_buf_deinit(&all);
	return name;
}

struct cache_name cache_place_name(const struct cache_name *key, const char *place)
{
	struct cache_name name = {0};
	struct kt_buf both = KT_BUF_INIT;
	char hash[33];

	kt_buf_printf(&both, "%s %s", key->s, place);
	if (!kt_buf_failed(&both)) {
		hash_hex(hash, XXH3_128bits(both.data, both.len));
		snprintf(name.s, sizeof(name.s), "place-%s", hash);
	}
	kt_buf_deinit(&both);
	return name;
}

struct cache_name cache_image_name(const struct cache_name *content_hash)
{
	struct cache_name name;

	snprintf(name.s, sizeof(name.s), "image-%.32s", content_hash->s);
	return name;
}

/* The file's name is hashed, too, so that a renamed file counts as absent. */
static void put_header(struct kt_buf *buf, const struct cache_name *name, const void *payload,
		       size_t len)
{
	XXH128_canonical_t canonical;
	struct kt_buf hashed = KT_BUF_INIT;

	kt_buf_append_le(&hashed, CACHE_VERSION, 4);
	kt_buf_append_le(&hashed, len, 8);
	kt_buf_append(&hashed, name->s, strlen(name->s) + 1);
	kt_buf_append(&hashed, payload, len);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(hashed.data, hashed.len));
	kt_buf_append(buf, CACHE_MAGIC, sizeof(CACHE_MAGIC));
	kt_buf_append(buf, canonical.digest, sizeof(canonical.digest));
	if (kt_buf_failed(&hashed))
		buf->failed = true;
	kt_buf_append(buf, hashed.data, hashed.len);
	kt_buf_deinit(&hashed);
}

static bool check_file(const struct kt_buf *file, const struct cache_name *name,
		       struct kt_buf *payload)
{
	struct kt_cursor c = kt_cursor(file->data, file->len, false);
	const char *magic = kt_cursor_string(&c);
	const uint8_t *digest = kt_cursor_bytes(&c, sizeof(XXH128_canonical_t));
	XXH128_canonical_t canonical;
	const char *own_name;
	uint32_t version;
	uint64_t len;

	if (c.failed || strcmp(magic, CACHE_MAGIC))
		return false;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(file->data + c.pos, file->len - c.pos));
	if (memcmp(digest, canonical.digest, sizeof(canonical.digest)))
		return false;
	version = kt_cursor_u32(&c);
	len = kt_cursor_u64(&c);
	own_name = kt_cursor_string(&c);
	if (c.failed || version != CACHE_VERSION || len != c.len - c.pos ||
	    strcmp(own_name, name->s))
		return false;
	kt_buf_append(payload, c.data + c.pos, (size_t)len);
	return !kt_buf_failed(payload);
}

bool cache_read(const char *dir, const struct cache_name *name, struct kt_buf *payload)
{
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(kt_buf_deinit) struct kt_buf file = KT_BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct kt_error *err;

	if (dir_fd < 0)
		return false;
	err = kt_open_file(dir_fd, name->s, O_NOFOLLOW, &fd, NULL);
	if (!err)
		err = kt_read_all(fd, CACHE_MAX, &file);
	if (!err)
		return check_file(&file, name, payload);
	kt_error_destroy(err);
	return false;
}

/* Not synced: after a power cut, the checksum shows that a file is not whole. */
static void write_file(const char *dir, const struct cache_name *name, const struct kt_buf *file)
{
	_cleanup_free_ char *path = NULL;
	struct kt_error *err;

	if (asprintf(&path, "%s/%s", dir, name->s) < 0) {
		path = NULL;
		return;
	}
	err = kt_mkdir_p(dir, 0700);
	if (!err)
		err = kt_replace_file(path, file->data, file->len, 0600, false);
	kt_error_destroy(err);
}

void cache_write(const char *dir, const struct cache_name *name, const void *payload, size_t len)
{
	struct kt_buf file = KT_BUF_INIT;

	put_header(&file, name, payload, len);
	if (!kt_buf_failed(&file) && file.len <= CACHE_MAX)
		write_file(dir, name, &file);
	kt_buf_deinit(&file);
}

void cache_write_plain(const char *dir, const struct cache_name *name, const struct kt_buf *file)
{
	write_file(dir, name, file);
}
