// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernels/oci.h"
#include "kernels/place.h"
#include "kernels/tree.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/vec.h"

#define JSON_MAX   (4u << 20)
#define DEPTH_MAX  4 /* of indexes in indexes */
#define IMAGES_MAX 16
#define LAYERS_MAX 512 /* overlayfs has less */
#define GONE_MAX   100000
#define LINKS_MAX  100000

struct oci {
	int fd;
	bool is_dir;
	struct kernels_reading *reading;
	const char *dir;
	unsigned n_images;
};

static void json_freep(json_t **json)
{
	json_decref(*json);
}

/* --- the files of a layout, by name --- */

/* One of a tar: what is to be done with it, once it is found. */
struct wanted {
	struct oci *oci;
	const char *name;
	bool found;
	struct kt_buf *text;  /* it is read into that, or: */
	kernels_entry_fn *fn; /* it is an archive, and walked */
	void *context;
};

static struct kt_error *take_wanted(void *context, struct archive *archive,
				    struct archive_entry *entry, const char *path)
{
	struct wanted *wanted = context;
	struct kernels_reading *reading = wanted->oci->reading;
	struct kt_error *err;

	if (strcmp(path, wanted->name) || !kernels_entry_is_file(entry))
		return NULL;
	wanted->found = true;
	err = wanted->text ? kernels_entry_read(archive, reading, JSON_MAX, wanted->text)
			   : kernels_walk_inner(archive, reading, wanted->fn, wanted->context);
	reading->done = true;
	return err;
}

static struct kt_error *take_from_dir(struct wanted *wanted)
{
	struct oci *oci = wanted->oci;
	_cleanup_close_ int fd = -1;
	struct kt_error *err = kt_open_file(oci->fd, wanted->name, O_NOFOLLOW, &fd, NULL);

	wanted->found = true;
	if (err)
		return err;
	return wanted->text ? kt_read_all(fd, JSON_MAX, wanted->text)
			    : kernels_walk(fd, oci->reading, wanted->fn, wanted->context);
}

static struct kt_error *take_file(struct wanted *wanted)
{
	struct oci *oci = wanted->oci;
	struct kt_error *err;

	if (oci->is_dir)
		return kt_error_wrap(take_from_dir(wanted), "%s", wanted->name);
	err = kernels_walk(oci->fd, oci->reading, take_wanted, wanted);
	oci->reading->done = false;
	if (!err && !wanted->found)
		err = kt_error_new(KT_ERROR_NOT_FOUND, "it is not there");
	return kt_error_wrap(err, "%s", wanted->name);
}

static struct kt_error *load_json(struct oci *oci, const char *name, json_t **ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct wanted wanted = {.oci = oci, .name = name, .text = &text};
	struct kt_error *err = take_file(&wanted);

	if (err)
		return err;
	*ret = json_loadb(text.data ? text.data : "", text.data ? strlen(text.data) : 0, 0, NULL);
	return *ret ? NULL : kt_error_new(KT_ERROR_FORMAT, "%s: it is no JSON", name);
}

/* "sha256:0123…" is in blobs/sha256/0123… */
static bool blob_name(const json_t *descriptor, char ret[KERNELS_PATH_MAX])
{
	const char *digest = json_string_value(json_object_get(descriptor, "digest"));
	static const char set[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	size_t kind = digest ? strspn(digest, set) : 0, hash;

	if (!kind || kind > 16 || digest[kind] != ':')
		return false;
	hash = strspn(digest + kind + 1, set);
	if (hash < 16 || hash > 256 || digest[kind + 1 + hash])
		return false;
	snprintf(ret, KERNELS_PATH_MAX, "blobs/%.*s/%s", (int)kind, digest, digest + kind + 1);
	return true;
}

/* --- a layer --- */

/* A second name of a file that is in the same layer, before it. */
struct hard_link {
	char *file, *name; /* clean paths; the name is that of an image or a module */
};

struct layer {
	struct kernels_reading *reading;
	char *upper;                    /* directory for its own files */
	KT_VEC(char *) gone;            /* paths of lower layers that it takes away */
	KT_VEC(struct hard_link) links; /* to files that are not wanted for themselves */
};

static void layer_deinit(struct layer *layer)
{
	kt_vec_for_each (&layer->gone, path)
		free(*path);
	kt_vec_free(&layer->gone);
	kt_vec_for_each (&layer->links, link) {
		free(link->file);
		free(link->name);
	}
	kt_vec_free(&layer->links);
	free(layer->upper);
}

/* What is taken away matters where something may be that was taken. */
static struct kt_error *take_away(struct layer *layer, const char *path, size_t len)
{
	_cleanup_free_ char *copy = strndup(path, len);

	if (!copy)
		return kt_error_no_memory();
	/* clean paths have lib/ for usr/lib/ */
	if (!strcmp(copy, "usr") || !strcmp(copy, "usr/lib"))
		strcpy(copy, "lib");
	else if (!strcmp(copy, "lib"))
		return NULL; /* most often a symbolic link to usr/lib */
	if (strncmp(copy, "lib", 3) && strncmp(copy, "boot", 4))
		return NULL;
	if (layer->gone.len == GONE_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "a layer that removes too many files");
	if (!kt_vec_push(&layer->gone, copy))
		return kt_error_no_memory();
	copy = NULL;
	return NULL;
}

/* dir/.wh.NAME takes dir/NAME away, dir/.wh..wh..opq all that is in dir. */
static struct kt_error *take_whiteout(struct layer *layer, const char *path, const char *name)
{
	size_t dir = (size_t)(name - path);
	_cleanup_free_ char *gone = NULL;

	if (!strcmp(name, ".wh..wh..opq"))
		return dir ? take_away(layer, path, dir - 1) : NULL;
	if (!strncmp(name, ".wh..wh.", 8))
		return NULL; /* aufs keeps its own things there */
	if (asprintf(&gone, "%.*s%s", (int)dir, path, name + 4) < 0) {
		gone = NULL;
		return kt_error_no_memory();
	}
	return take_away(layer, gone, strlen(gone));
}

/* A file that is wanted for itself has been taken; for others the layer is walked once more. */
static struct kt_error *take_hard_link(struct layer *layer, const char *target, const char *name)
{
	struct hard_link link = {0};
	char file[KERNELS_PATH_MAX];

	if (!kernels_clean_path(target, file))
		return NULL;
	if (kernels_path_is_image(file) || kernels_path_is_module(file))
		return kernels_tree_link(layer->upper, file, name);
	if (layer->links.len == LINKS_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "a layer of too many hard links");
	link = (struct hard_link){strdup(file), strdup(name)};
	if (link.file && link.name && kt_vec_push(&layer->links, link))
		return NULL;
	free(link.file);
	free(link.name);
	return kt_error_no_memory();
}

static struct kt_error *take_linked(void *context, struct archive *archive,
				    struct archive_entry *entry, const char *path)
{
	struct layer *layer = context;
	const char *first = NULL;
	struct kt_error *err = NULL;

	if (!kernels_entry_is_file(entry))
		return NULL;
	kt_vec_for_each (&layer->links, link) {
		if (err || strcmp(link->file, path) != 0)
			continue;
		if (first)
			err = kernels_tree_link(layer->upper, first, link->name);
		else
			err = kernels_tree_put(layer->upper, link->name, archive, layer->reading);
		first = first ? first : link->name;
	}
	return err;
}

static struct kt_error *take_layer_entry(void *context, struct archive *archive,
					 struct archive_entry *entry, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct layer *layer = context;

	if (!strncmp(name, ".wh.", 4))
		return take_whiteout(layer, path, name);
	if (!kernels_path_is_image(path) && !kernels_path_is_module(path))
		return NULL;
	if (kernels_entry_is_file(entry))
		return kernels_tree_put(layer->upper, path, archive, layer->reading);
	if (archive_entry_hardlink(entry))
		return take_hard_link(layer, archive_entry_hardlink(entry), path);
	/* A link in the place of a file. */
	return archive_entry_filetype(entry) == AE_IFDIR ? NULL
							 : take_away(layer, path, strlen(path));
}

static struct kt_error *apply(const struct layer *layer, const char *tree)
{
	struct kt_error *err;

	kt_vec_for_each (&layer->gone, path) {
		_cleanup_free_ char *lower = NULL;

		if (asprintf(&lower, "%s/%s", tree, *path) < 0) {
			lower = NULL;
			return kt_error_no_memory();
		}
		kernels_remove(lower);
	}
	err = kernels_tree_merge(layer->upper, tree, false);
	kernels_remove(layer->upper);
	return err;
}

static struct kt_error *take_layer(struct oci *oci, const char *name, const char *tree)
{
	_cleanup_(layer_deinit) struct layer layer = {.reading = oci->reading};
	struct wanted wanted = {
		.oci = oci, .name = name, .fn = take_layer_entry, .context = &layer};
	struct kt_error *err;

	if (asprintf(&layer.upper, "%s/upper", oci->dir) < 0) {
		layer.upper = NULL;
		return kt_error_no_memory();
	}
	kernels_remove(layer.upper);
	err = kt_mkdir_p(layer.upper, 0700);
	if (!err)
		err = take_file(&wanted);
	if (!err && layer.links.len) {
		wanted.fn = take_linked;
		err = take_file(&wanted);
	}
	return err ? err : apply(&layer, tree);
}

/* --- images --- */

/* layers: descriptors, or, of docker save, names. */
static struct kt_error *take_layers(struct oci *oci, const json_t *layers, const char *tree)
{
	size_t n = json_array_size(layers);
	struct kt_error *err = NULL;

	if (n > LAYERS_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "an image of %zu layers", n);
	for (size_t i = 0; !err && i < n; i++) {
		const json_t *layer = json_array_get(layers, i);
		const char *text = json_string_value(layer);
		char name[KERNELS_PATH_MAX];

		if (text ? !kernels_clean_path(text, name) : !blob_name(layer, name))
			return kt_error_new(KT_ERROR_FORMAT, "layer %zu has no name", i + 1);
		err = take_layer(oci, name, tree);
	}
	return err;
}

static struct kt_error *take_image(struct oci *oci, const json_t *layers)
{
	_cleanup_free_ char *tree = NULL;
	struct kt_error *err;

	if (oci->n_images == IMAGES_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "more than %d images in it", IMAGES_MAX);
	if (asprintf(&tree, "%s/%u", oci->dir, oci->n_images) < 0) {
		tree = NULL;
		return kt_error_no_memory();
	}
	err = kt_mkdir_p(tree, 0700);
	if (!err)
		err = take_layers(oci, layers, tree);
	if (err)
		kernels_remove(tree);
	else
		oci->n_images++;
	return err;
}

/* Of an image for several architectures, a copy may have the parts of one only. */
static bool may_go_on(struct kt_error *err)
{
	return err && kt_error_code(err) == KT_ERROR_NOT_FOUND;
}

static struct kt_error *take_manifest(struct oci *oci, const json_t *manifest, unsigned depth)
{
	const json_t *layers = json_object_get(manifest, "layers");
	const json_t *more = json_object_get(manifest, "manifests");
	struct kt_error *missing = NULL;

	if (layers)
		return take_image(oci, layers);
	if (!json_is_array(more) || json_array_size(more) > 4 * IMAGES_MAX || depth == DEPTH_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "neither the layers of an image nor an index");
	for (size_t i = 0; i < json_array_size(more); i++) {
		_cleanup_(json_freep) json_t *next = NULL;
		char name[KERNELS_PATH_MAX];
		struct kt_error *err = NULL;

		if (!blob_name(json_array_get(more, i), name))
			err = kt_error_new(KT_ERROR_FORMAT, "a manifest without a digest");
		if (!err)
			err = load_json(oci, name, &next);
		if (!err)
			err = take_manifest(oci, next, depth + 1);
		if (err && !may_go_on(err)) {
			kt_error_destroy(missing);
			return err;
		}
		kt_error_destroy(missing);
		missing = err;
	}
	if (missing && oci->n_images) {
		kt_error_destroy(missing);
		missing = NULL;
	}
	return missing;
}

/* [{"Config": …, "RepoTags": …, "Layers": ["0123….tar", …]}] */
static struct kt_error *take_docker(struct oci *oci)
{
	_cleanup_(json_freep) json_t *manifest = NULL;
	struct kt_error *err = load_json(oci, "manifest.json", &manifest);

	if (!err && !json_array_size(manifest))
		err = kt_error_new(KT_ERROR_FORMAT, "manifest.json: it names no image");
	for (size_t i = 0; !err && i < json_array_size(manifest); i++) {
		const json_t *image = json_array_get(manifest, i);
		const json_t *layers = json_object_get(image, "Layers");

		err = json_is_array(layers)
			      ? take_image(oci, layers)
			      : kt_error_new(KT_ERROR_FORMAT,
					     "manifest.json: an image without layers");
	}
	return err;
}

struct kt_error *kernels_oci_unpack(int fd, bool is_dir, struct kernels_reading *reading,
				    const char *dir)
{
	struct oci oci = {.fd = fd, .is_dir = is_dir, .reading = reading, .dir = dir};
	_cleanup_(json_freep) json_t *index = NULL;
	struct kt_error *err = load_json(&oci, "index.json", &index);

	if (err && kt_error_code(err) == KT_ERROR_NOT_FOUND) {
		kt_error_destroy(err);
		return take_docker(&oci);
	}
	return err ? err : take_manifest(&oci, index, 0);
}
