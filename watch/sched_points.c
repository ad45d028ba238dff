// SPDX-License-Identifier: LGPL-2.1-or-later
#include "watch/sched_points.h"
#include "util/buf.h"
#include "util/cleanup.h"

static const struct {
	const char *symbol, *name; /* name: for people */
	uint8_t len;               /* of a variable that is written; 0: code */
} points_of[SCHED_POINTS] = {
	[SCHED_AT_ROOT] = {"scx_root", "scx_root", 8}, /* since 6.16 */
	[SCHED_AT_EXIT] = {NULL, "exit_kind", 4},
	[SCHED_AT_INFO] = {NULL, "exit_info->kind", 4},
	[SCHED_AT_BYPASS] = {"scx_bypass", "scx_bypass()", 0},
	[SCHED_AT_ENABLED] = {"scx_enable_seq", "enable_seq", 8},
	[SCHED_AT_HOTPLUG] = {"scx_hotplug_seq", "hotplug_seq", 8},
	[SCHED_AT_REJECTED] = {"scx_nr_rejected", "nr_rejected", 8},
};

bool sched_points_wants(struct wants *wants)
{
	for (size_t i = 0; i < SCHED_POINTS; i++)
		if (points_of[i].symbol &&
		    !wants_add(wants, KFACTS_SYMBOL, points_of[i].symbol, NULL, true))
			return false;
	return wants_add(wants, KFACTS_PARAM, "scx_bypass", "scx_sched", true);
}

struct kt_error *sched_points_find(struct sched_points *points, struct guest *guest,
				   const struct watch_arch *arch)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	uint8_t code[WATCH_CODE_LEN];
	struct kt_error *err;
	gaddr_t bypass = 0;
	uint64_t at;

	*points = (struct sched_points){.breakpoint_len = arch->breakpoint_len};
	for (size_t i = 0; i < SCHED_POINTS; i++)
		if (points_of[i].symbol && points_of[i].len &&
		    !guest_symbol(guest, points_of[i].symbol, &points->at[i].addr))
			points->at[i].addr = 0;
	if (!points->at[SCHED_AT_ROOT].addr)
		return kt_error_hint(
			kt_error_new(KT_ERROR_UNSUPPORTED,
				     "to watch sched_ext needs Linux 6.16 or later (scx_root)"),
			"`ktstr-gdb sched` shows this guest's scheduler");
	if (!guest_symbol(guest, points_of[SCHED_AT_BYPASS].symbol, &bypass))
		return NULL;
	/* scx_bypass(bool), and since 7.1 scx_bypass(struct scx_sched *, bool) */
	points->bypass_argument = kfacts_param(guest_facts(guest), "scx_bypass", "scx_sched", &at);
	if (!gmem_batch_add(&batch, bypass, code, sizeof(code)))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && !batch.reads.data[0].fault)
		points->at[SCHED_AT_BYPASS].addr = bypass + arch->landing(code, sizeof(code));
	return err;
}

/* --- to set them --- */

static struct kt_error *set(struct sched_points *points, struct rsp_client *client,
			    enum sched_point point, bool on)
{
	gaddr_t addr = points->at[point].addr;
	size_t len = points_of[point].len;
	struct kt_error *err;

	if (!addr || points->at[point].set == on)
		return NULL;
	err = len ? rsp_client_watchpoint(client, addr, len, on)
		  : rsp_client_breakpoint(client, addr, points->breakpoint_len, on);
	if (!err)
		points->at[point].set = on;
	return err;
}

/* That there is no register left for it is no error. */
static struct kt_error *try_set(struct sched_points *points, struct rsp_client *client,
				enum sched_point point)
{
	struct kt_error *err = set(points, client, point, true);

	if (!err || kt_error_code(err) != KT_ERROR_UNSUPPORTED)
		return err;
	kt_error_destroy(err);
	return NULL;
}

struct kt_error *sched_points_set(struct sched_points *points, struct rsp_client *client)
{
	struct kt_error *err;

	if (!points->at[SCHED_AT_EXIT].addr)
		points->at[SCHED_AT_EXIT].addr = points->at[SCHED_AT_ROOT].addr;
	err = set(points, client, SCHED_AT_ROOT, true);
	return err ? err : set(points, client, SCHED_AT_EXIT, true);
}

struct kt_error *sched_points_set_more(struct sched_points *points, struct rsp_client *client,
				       bool only_ends)
{
	struct kt_error *err = NULL;

	points->more = true;
	for (enum sched_point i = SCHED_AT_BYPASS; !err && !only_ends && i < SCHED_POINTS; i++)
		err = try_set(points, client, i);
	return err ? err : try_set(points, client, SCHED_AT_INFO);
}

struct kt_error *sched_points_remove(struct sched_points *points, struct rsp_client *client)
{
	struct kt_error *err = NULL;

	for (enum sched_point i = 0; !err && i < SCHED_POINTS; i++)
		err = set(points, client, i, false);
	return err;
}

struct kt_error *sched_points_move(struct sched_points *points, struct rsp_client *client,
				   gaddr_t exit, gaddr_t info)
{
	struct kt_error *err = set(points, client, SCHED_AT_EXIT, false);

	if (!err)
		err = set(points, client, SCHED_AT_INFO, false);
	if (err)
		return err;
	points->at[SCHED_AT_EXIT].addr = exit ? exit : points->at[SCHED_AT_ROOT].addr;
	points->at[SCHED_AT_INFO].addr = info;
	err = set(points, client, SCHED_AT_EXIT, true);
	return err || !points->more ? err : try_set(points, client, SCHED_AT_INFO);
}

struct kt_error *sched_points_name(const struct sched_points *points, char **ret)
{
	struct kt_buf text = KT_BUF_INIT;

	for (size_t i = 0; i < SCHED_POINTS; i++)
		if (points->at[i].set)
			kt_buf_printf(&text, "%s%s", text.len ? ", " : "", points_of[i].name);
	return kt_buf_finish(&text, ret);
}

enum sched_point sched_points_which(const struct sched_points *points, const struct rsp_stop *told,
				    gaddr_t pc)
{
	for (enum sched_point i = 0; i < SCHED_POINTS; i++) {
		bool writes = points_of[i].len;

		if (points->at[i].set && writes == told->is_write &&
		    points->at[i].addr == (writes ? told->written : pc))
			return i;
	}
	return SCHED_NOWHERE;
}
