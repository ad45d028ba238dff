// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/bpf.h>
#include <string.h>

#include "introspect/bpf_callees.h"

/*
 * Most helpers are functions of the same name. For maps the verifier replaces the helper by the
 * map type's own function.
 */
#define HELPER(name) "bpf_" #name
static const char *const callees[] = {
	__BPF_FUNC_MAPPER(HELPER) /* each with its comma */
	"__htab_map_lookup_elem",
	"htab_map_lookup_elem",
	"htab_map_update_elem",
	"htab_map_delete_elem",
	"__htab_lru_map_lookup_elem",
	"htab_lru_map_lookup_elem",
	"htab_lru_map_update_elem",
	"htab_lru_map_delete_elem",
	"htab_percpu_map_lookup_elem",
	"htab_percpu_map_update_elem",
	"htab_lru_percpu_map_lookup_elem",
	"htab_lru_percpu_map_update_elem",
	"array_map_lookup_elem",
	"array_map_update_elem",
	"array_map_delete_elem",
	"percpu_array_map_lookup_elem",
	"array_of_map_lookup_elem",
	"htab_of_map_lookup_elem",
	"trie_lookup_elem",
	"trie_update_elem",
	"trie_delete_elem",
	"queue_stack_map_push_elem",
	"queue_map_pop_elem",
	"queue_map_peek_elem",
	"stack_map_pop_elem",
	"stack_map_peek_elem",
	"bloom_map_push_elem",
	"bloom_map_peek_elem",
	"bpf_for_each_hash_elem",
	"bpf_for_each_array_elem",
	"dev_map_redirect",
	"dev_hash_map_redirect",
	"cpu_map_redirect",
	"xsk_map_redirect",
	"sock_map_lookup",
	"sock_hash_lookup",
	"bpf_user_rnd_u32",
	"bpf_get_raw_cpu_id",
	"bpf_xdp_redirect",
	"bpf_xdp_redirect_map",
	"bpf_perf_event_output_tp",
	"bpf_perf_event_output_raw_tp",
	"bpf_skb_event_output",
	"bpf_xdp_event_output",
	"bpf_get_stackid_tp",
	"bpf_get_stackid_raw_tp",
	"bpf_get_stack_tp",
	"bpf_get_stack_raw_tp",
	"bpf_get_attach_cookie_trace",
	"bpf_get_attach_cookie_tracing",
	"bpf_get_attach_cookie_pe",
	"bpf_get_func_ip_kprobe",
	"bpf_get_func_ip_tracing",
	"bpf_event_output",
	"bpf_sk_storage_get_tracing",
	"bpf_sk_storage_delete_tracing",
	"bpf_task_storage_get_recur",
	"bpf_task_storage_delete_recur",
	"bpf_dynptr_data_rdonly",
	"bpf_sock_addr_sk_lookup_tcp",
	"bpf_unlocked_sk_setsockopt",
	"bpf_unlocked_sk_getsockopt",
	"bpf_sk_setsockopt",
	"bpf_sk_getsockopt",
	"bpf_perf_event_read_value",
	"____bpf_snprintf_btf",
	"bpf_task_acquire",
	"bpf_task_release",
	"bpf_task_from_pid",
	"bpf_cgroup_acquire",
	"bpf_cgroup_release",
	"bpf_cgroup_from_id",
	"bpf_obj_new_impl",
	"bpf_obj_drop_impl",
	"bpf_rbtree_add_impl",
	"bpf_rbtree_first",
	"bpf_rbtree_remove",
	"bpf_list_push_front_impl",
	"bpf_list_push_back_impl",
	"bpf_list_pop_front",
	"bpf_list_pop_back",
	"bpf_iter_num_new",
	"bpf_iter_num_next",
	"bpf_iter_num_destroy",
	"bpf_rcu_read_lock",
	"bpf_rcu_read_unlock",
	"bpf_cast_to_kern_ctx",
	"bpf_rdonly_cast",
	"bpf_kfunc_call_test1",
	"bpf_cpumask_create",
	"bpf_cpumask_release",
	"bpf_cpumask_acquire",
	"bpf_cpumask_first",
	"bpf_cpumask_test_cpu",
	"bpf_cpumask_set_cpu",
	"bpf_cpumask_clear_cpu",
	"bpf_cpumask_any_distribute",
	"bpf_dynptr_slice",
	"bpf_dynptr_slice_rdwr",
	"bpf_dynptr_from_skb",
	"bpf_dynptr_from_xdp",
	"scx_bpf_create_dsq",
	"scx_bpf_destroy_dsq",
	"scx_bpf_dsq_insert",
	"scx_bpf_dsq_insert_vtime",
	"scx_bpf_dsq_move_to_local",
	"scx_bpf_dispatch",
	"scx_bpf_dispatch_vtime",
	"scx_bpf_consume",
	"scx_bpf_kick_cpu",
	"scx_bpf_dsq_nr_queued",
	"scx_bpf_select_cpu_dfl",
	"scx_bpf_pick_idle_cpu",
	"scx_bpf_pick_any_cpu",
	"scx_bpf_test_and_clear_cpu_idle",
	"scx_bpf_get_idle_cpumask",
	"scx_bpf_put_idle_cpumask",
	"scx_bpf_get_idle_smtmask",
	"scx_bpf_task_cpu",
	"scx_bpf_task_running",
	"scx_bpf_now",
	"scx_bpf_error_bstr",
	"scx_bpf_exit_bstr",
	"scx_bpf_nr_cpu_ids",
	"scx_bpf_cpu_rq",
};
#define N_CALLEES (sizeof(callees) / sizeof(callees[0]))

bool bpf_callees_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_CALLEES; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, callees[i], NULL, true))
			return false;
	return true;
}

struct kt_error *bpf_callee_at(const struct kfacts *facts, gaddr_t addr, char **ret)
{
	gaddr_t at;

	for (size_t i = 0; i < N_CALLEES; i++)
		if (kfacts_symbol(facts, callees[i], &at) && at == addr) {
			*ret = strdup(callees[i]);
			return *ret ? NULL : kt_error_no_memory();
		}
	return NULL;
}
