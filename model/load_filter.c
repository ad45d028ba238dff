// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fnmatch.h>
#include <string.h>

#include "model/load_filter.h"

static bool takes_name(const struct load_filter *filter, const struct bpf_load *load)
{
	kt_vec_for_each (&filter->names, glob)
		if (fnmatch(*glob, bpf_load_name(load), 0) == 0 ||
		    fnmatch(*glob, load->name, 0) == 0)
			return true;
	return !filter->names.len;
}

static bool takes_comm(const struct load_filter *filter, const struct bpf_load *load)
{
	kt_vec_for_each (&filter->comms, glob)
		if (load->by_known && fnmatch(*glob, load->comm, 0) == 0)
			return true;
	return !filter->comms.len;
}

static bool takes_pid(const struct load_filter *filter, const struct bpf_load *load)
{
	kt_vec_for_each (&filter->pids, pid)
		if (load->by_known && *pid == load->pid)
			return true;
	return !filter->pids.len;
}

static bool takes_type(const struct load_filter *filter, const struct bpf_load *load)
{
	kt_vec_for_each (&filter->types, type)
		if (load->type && strcmp(*type, load->type) == 0)
			return true;
	return !filter->types.len;
}

bool load_filter_takes(const struct load_filter *filter, const struct bpf_load *load)
{
	return (!filter->failed || bpf_load_failed(load)) && takes_name(filter, load) &&
	       takes_comm(filter, load) && takes_pid(filter, load) && takes_type(filter, load) &&
	       load->verified_insns.value >= filter->min_insns;
}

void load_filter_deinit(struct load_filter *filter)
{
	kt_vec_free(&filter->names);
	kt_vec_free(&filter->comms);
	kt_vec_free(&filter->types);
	kt_vec_free(&filter->pids);
}
