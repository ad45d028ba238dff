// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where a value came from, and what took it: through calls that take a type away, spills and fills,
 * alterations, sizes and offsets. Logs of all formats from 5.10 to 7.3, made small. What is
 * expected is what the kernel's sources say of such a program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "logparse/last.h"
#include "tests/logparse/describe.h"
#include "tests/logparse/errors.h"

struct expectation {
	const char *log;
	const char *subjects[KT_LAST_MAX_SUBJECTS];
};

static void check(const struct expectation *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct kt_text log = copy_text(cases[i].log, strlen(cases[i].log));
		struct kt_log_last last = find(log);
		size_t wanted = 0;

		assert_int_equal(last.outcome, KT_LAST_FAILED);
		while (wanted < KT_LAST_MAX_SUBJECTS && cases[i].subjects[wanted])
			wanted++;
		for (size_t k = 0; k < last.n_subjects; k++)
			assert_string_equal(describe(&last.subjects[k]),
					    k < wanted ? cases[i].subjects[k] : "none");
		assert_int_equal(last.n_subjects, wanted);
		free((char *)log.data);
	}
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

#define SKB "0: R1=ctx() R10=fp0\n0: (bf) r6 = r1                       ; R1=ctx() R6_w=ctx()\n"

static void test_packet_changes(void **state)
{
	static const struct expectation cases[] = {
		{SKB "1: (61) r7 = *(u32 *)(r6 +76)         ; R6_w=ctx() R7_w=pkt(r=0)\n"
		     "2: (b7) r2 = 20                       ; R2_w=20\n"
		     "3: (bf) r1 = r6                       ; R1_w=ctx() R6_w=ctx()\n"
		     "4: (85) call bpf_skb_pull_data#39     ; R0_w=scalar()\n"
		     "5: (71) r1 = *(u8 *)(r7 +23)\n"
		     "R7 invalid mem access 'scalar'\n" STATS,
		 {"R7=scalar lost@4(pkt(r=0)) set@1"}},
		/* The state says since when; copies and constants added to it are followed. */
		{SKB "1: (61) r7 = *(u32 *)(r6 +76)         ; R6_w=ctx() R7_w=pkt(r=0)\n"
		     "2: (85) call bpf_get_prandom_u32#7    ; R0_w=scalar()\n"
		     "3: (bf) r1 = r6                       ; R1_w=ctx() R6_w=ctx()\n"
		     "4: (85) call bpf_skb_change_tail#38   ; R0_w=scalar()\n"
		     "5: (85) call bpf_skb_pull_data#39     ; R0_w=scalar()\n"
		     "6: (15) if r0 == 0x0 goto pc+1        ; R0_w=scalar()\n"
		     "7: (95) exit\n"
		     "\n"
		     "from 6 to 8: R0=0 R6=ctx() R7=scalar() R10=fp0\n"
		     "8: (85) call bpf_clone_redirect#13    ; R0_w=scalar()\n"
		     "9: (bf) r8 = r7                       ; R7=scalar(id=1) R8_w=scalar(id=1)\n"
		     "10: (07) r8 += 14                     ; R8_w=scalar()\n"
		     "11: (71) r1 = *(u8 *)(r8 +0)\n"
		     "R8 invalid mem access 'scalar'\n" STATS,
		 {"R8=scalar() altered@10 copied@9:R7 lost@4(pkt(r=0)) set@1"}},
		/* A function of the program does it, and prints no state of the caller in between.
		 */
		{SKB "1: (61) r7 = *(u32 *)(r6 +76)         ; R6_w=ctx() R7_w=pkt(r=0)\n"
		     "2: (bf) r1 = r6                       ; R1_w=ctx() R6_w=ctx()\n"
		     "3: (85) call pc+2\n"
		     "caller:\n"
		     " R6_w=ctx() R7_w=pkt(r=0) R10=fp0\n"
		     "callee:\n"
		     " frame1: R1_w=ctx() R10=fp0\n"
		     "6: frame1: R1_w=ctx() R10=fp0\n"
		     "6: (b7) r2 = 20                       ; frame1: R2_w=20\n"
		     "7: (85) call bpf_skb_pull_data#39     ; frame1: R0_w=scalar()\n"
		     "8: (95) exit\n"
		     "returning from callee:\n"
		     " frame1: R0_w=scalar() R10=fp0\n"
		     "to caller at 4:\n"
		     " R0_w=scalar() R6=ctx() R7=scalar() R10=fp0\n"
		     "\n"
		     "from 8 to 4: R0_w=scalar() R6=ctx() R7=scalar() R10=fp0\n"
		     "4: (71) r1 = *(u8 *)(r7 +0)\n"
		     "R7 invalid mem access 'scalar'\n" STATS,
		 {"R7=scalar() lost@7(pkt(r=0)) set@1"}},
		/* A global function, which is not entered. */
		{SKB "1: (61) r7 = *(u32 *)(r6 +76)         ; R6_w=ctx() R7_w=pkt(r=0)\n"
		     "2: (bf) r1 = r6                       ; R1_w=ctx() R6_w=ctx()\n"
		     "3: (85) call pc+2\n"
		     "Func#1 ('g') is global and assumed valid.\n"
		     "4: R0_w=scalar()\n"
		     "4: (85) call bpf_some_new_kfunc#900   ; R0=scalar()\n"
		     "5: (71) r1 = *(u8 *)(r7 +0)\n"
		     "R7 invalid mem access 'scalar'\n" STATS,
		 {"R7=scalar lost@3(pkt(r=0)) set@1"}},
		/* 5.10, level 1: no state at all; it reads skb->data. */
		{"0: (bf) r6 = r1\n"
		 "1: (61) r7 = *(u32 *)(r6 +76)\n"
		 "2: (b7) r2 = 20\n"
		 "3: (bf) r1 = r6\n"
		 "4: (85) call bpf_skb_pull_data#39\n"
		 "5: (71) r1 = *(u8 *)(r7 +23)\n"
		 "R7 invalid mem access 'inv'\n" STATS,
		 {"R7=inv lost@4() set@1"}},
		/* The copy cuts it before a call can take it. */
		{"0: (bf) r6 = r1\n"
		 "1: (61) r7 = *(u32 *)(r6 +76)\n"
		 "2: (bc) w8 = w7\n"
		 "3: (85) call bpf_skb_pull_data#39\n"
		 "4: (71) r1 = *(u8 *)(r8 +23)\n"
		 "R8 invalid mem access 'inv'\n" STATS,
		 {"R8=inv copied@2:R7 set@1"}},
		/* Nothing takes skb->len, which never was a pointer. */
		{"0: (bf) r6 = r1\n"
		 "1: (61) r7 = *(u32 *)(r6 +16)\n"
		 "2: (85) call bpf_skb_pull_data#39\n"
		 "3: (71) r1 = *(u8 *)(r7 +23)\n"
		 "R7 invalid mem access 'inv'\n" STATS,
		 {"R7=inv set@1"}},
		/* Without CAP_PERFMON it is not even a scalar. */
		{SKB "1: (61) r7 = *(u32 *)(r6 +76)         ; R6_w=ctx() R7_w=pkt(r=0)\n"
		     "2: (bf) r1 = r6                       ; R1_w=ctx() R6_w=ctx()\n"
		     "3: (85) call bpf_skb_change_head#43   ; R0_w=scalar()\n"
		     "4: (bf) r1 = r7\n"
		     "R7 !read_ok\n" STATS,
		 {"R7= lost@3(pkt(r=0)) set@1"}},
		/* On the stack it is taken, too. */
		{SKB "1: (61) r1 = *(u32 *)(r6 +76)         ; R1_w=pkt(r=0) R6_w=ctx()\n"
		     "2: (7b) *(u64 *)(r10 -8) = r1         ; R1_w=pkt(r=0) R10=fp0 "
		     "fp-8_w=pkt(r=0)\n"
		     "3: (85) call bpf_skb_pull_data#39     ; R0_w=scalar()\n"
		     "4: (79) r1 = *(u64 *)(r10 -8)         ; R1_w=scalar() R10=fp0 "
		     "fp-8=scalar()\n"
		     "5: (71) r0 = *(u8 *)(r1 +0)\n"
		     "R1 invalid mem access 'scalar'\n" STATS,
		 {"R1=scalar() filled@4:fp-8 lost@3(pkt(r=0)) spilled@2:R1 set@1"}},
	};

	(void)state;
	CHECK(cases);
}

static void test_releases(void **state)
{
	static const struct expectation cases[] = {
		{"0: R1=ctx() R10=fp0\n"
		 "11: (85) call bpf_sk_lookup_tcp#84    ; R0_w=sock_or_null(id=2,ref_obj_id=2) "
		 "refs=2\n"
		 "12: (bf) r6 = r0                      ; R0_w=sock_or_null(id=2,ref_obj_id=2) "
		 "R6_w=sock_or_null(id=2,ref_obj_id=2) refs=2\n"
		 "13: (15) if r6 == 0x0 goto pc+3       ; R6_w=sock(ref_obj_id=2) refs=2\n"
		 "14: (85) call bpf_get_prandom_u32#7   ; R0_w=scalar() refs=2\n"
		 "15: (bf) r1 = r6                      ; R1_w=sock(ref_obj_id=2) "
		 "R6=sock(ref_obj_id=2) refs=2\n"
		 "16: (85) call bpf_sk_release#86       ;\n"
		 "17: (61) r0 = *(u32 *)(r6 +4)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=scalar lost@16(sock(ref_obj_id=2)) copied@12:R0 result@11"}},
		/* Of two objects the one that it is. */
		{"0: R1=ctx() R10=fp0\n"
		 "1: (85) call bpf_task_acquire#100     ; R0_w=ptr_task_struct(ref_obj_id=1)\n"
		 "2: (bf) r6 = r0                       ; R6_w=ptr_task_struct(ref_obj_id=1)\n"
		 "3: (85) call bpf_task_acquire#100     ; R0_w=ptr_task_struct(ref_obj_id=2)\n"
		 "4: (bf) r7 = r0                       ; R7_w=ptr_task_struct(ref_obj_id=2)\n"
		 "5: (bf) r1 = r6                       ; R1_w=ptr_task_struct(ref_obj_id=1)\n"
		 "6: (85) call bpf_task_release#101     ;\n"
		 "7: (bf) r1 = r7                       ; R1_w=ptr_task_struct(ref_obj_id=2)\n"
		 "8: (85) call bpf_task_release#101     ;\n"
		 "9: (79) r0 = *(u64 *)(r7 +8)\n"
		 "R7 invalid mem access 'scalar'\n" STATS,
		 {"R7=scalar lost@8(ptr_task_struct(ref_obj_id=2)) copied@4:R0 result@3"}},
		/* 7.3 has no ref_obj_id: ids are the same. */
		{"0: R1=ctx() R10=fp0\n"
		 "1: (85) call bpf_sk_lookup_tcp#84     ; R0=sock(id=2) refs=2\n"
		 "2: (bf) r6 = r0                       ; R0=sock(id=2) R6=sock(id=2) refs=2\n"
		 "3: (bf) r1 = r0                       ; R0=sock(id=2) R1=sock(id=2) refs=2\n"
		 "4: (85) call bpf_tcp_sock#96          ; R0=tcp_sock(id=2) refs=2\n"
		 "5: (bf) r1 = r0                       ; R0=tcp_sock(id=2) R1=tcp_sock(id=2)\n"
		 "6: (85) call bpf_sk_release#86        ;\n"
		 "7: (bf) r1 = r7                       ; R1=sock(id=5)\n"
		 "8: (85) call bpf_sk_release#86        ;\n"
		 "9: (61) r0 = *(u32 *)(r6 +8)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=scalar lost@6(sock(id=2)) copied@2:R0 result@1"}},
		/* No state: the helper gets this very value. */
		{"0: (85) call bpf_ringbuf_reserve#131\n"
		 "1: (bf) r6 = r0\n"
		 "2: (15) if r6 == 0x0 goto pc+5\n"
		 "3: (bf) r1 = r6\n"
		 "4: (b7) r2 = 0\n"
		 "5: (85) call bpf_ringbuf_submit#132\n"
		 "6: (7b) *(u64 *)(r6 +0) = r0\n"
		 "R6 invalid mem access 'inv'\n" STATS,
		 {"R6=inv lost@5() copied@1:R0 result@0"}},
		/* It gets another one. */
		{"0: (85) call bpf_get_prandom_u32#7\n"
		 "1: (bf) r6 = r0\n"
		 "3: (bf) r1 = r7\n"
		 "4: (b7) r2 = 0\n"
		 "5: (85) call bpf_ringbuf_submit#132\n"
		 "6: (7b) *(u64 *)(r6 +0) = r0\n"
		 "R6 invalid mem access 'inv'\n" STATS,
		 {"R6=inv copied@1:R0 result@0"}},
		/* A check for NULL makes it a scalar, and no call does. */
		{"0: R1=ctx() R10=fp0\n"
		 "1: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value_or_null(id=1)\n"
		 "2: (bf) r6 = r0                       ; R6_w=map_value_or_null(id=1)\n"
		 "3: (85) call bpf_sk_release#86        ; R0_w=scalar()\n"
		 "4: (55) if r6 != 0x0 goto pc+2        ; R6=0\n"
		 "5: (71) r0 = *(u8 *)(r6 +0)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=0 copied@2:R0 result@1"}},
	};

	(void)state;
	CHECK(cases);
}

static void test_sections_and_slices(void **state)
{
	static const struct expectation cases[] = {
		{"0: R1=ctx() R10=fp0\n"
		 "5: (85) call bpf_rbtree_first#200     ; R0=ptr_or_null_node(id=1,non_own_ref)\n"
		 "6: (bf) r6 = r0                       ; R6=ptr_or_null_node(id=1,non_own_ref)\n"
		 "8: (bf) r1 = r7                       ; R1=map_value()\n"
		 "9: (85) call bpf_spin_unlock#94       ;\n"
		 "12: (79) r0 = *(u64 *)(r6 +0)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=scalar lost@9(ptr_or_null_node(id=1,non_own_ref)) copied@6:R0 result@5"}},
		/* RCU: it is a pointer still, but not one to trust. */
		{"0: R1=ctx() R10=fp0\n"
		 "41: (79) r6 = *(u64 *)(r7 +0)         ; R6=rcu_ptr_bpf_cpumask(id=5)\n"
		 "42: (85) call bpf_rcu_read_unlock#300 ;\n"
		 "43: (85) call bpf_some_new_kfunc#900  ; R0=scalar()\n"
		 "44: (bf) r2 = r6                      ; R2=untrusted_ptr_bpf_cpumask(id=5)\n"
		 "46: (85) call bpf_cpumask_test_cpu#301\n"
		 "R2 must be a rcu pointer\n" STATS,
		 {"R2=untrusted_ptr_bpf_cpumask(id=5) copied@44:R6 "
		  "lost@42(rcu_ptr_bpf_cpumask(id=5)) set@41"}},
		{"0: R1=ctx() R10=fp0\n"
		 "9: (85) call bpf_dynptr_from_skb#500  ; fp-16=dynptr_skb(id=1)\n"
		 "10: (85) call bpf_dynptr_slice#501    ; R0=rdonly_mem_or_null(id=2,sz=14)\n"
		 "11: (bf) r8 = r0                      ; R8=rdonly_mem_or_null(id=2,sz=14)\n"
		 "12: (85) call bpf_skb_pull_data#39    ; R0=scalar()\n"
		 "13: (71) r1 = *(u8 *)(r8 +0)\n"
		 "R8 invalid mem access 'scalar'\n" STATS,
		 {"R8=scalar lost@12(rdonly_mem_or_null(id=2,sz=14)) copied@11:R0 result@10"}},
		/* The dynptr is overwritten: a store, no call, takes the slice. */
		{"0: R1=ctx() R10=fp0\n"
		 "9: (85) call bpf_dynptr_from_mem#197  ; fp-16=dynptr_local(id=1)\n"
		 "10: (85) call bpf_dynptr_data#203     ; R0=mem_or_null(id=2,sz=4) "
		 "fp-16=dynptr_local(id=1)\n"
		 "11: (bf) r6 = r0                      ; R6=mem_or_null(id=2,sz=4)\n"
		 "12: (b7) r7 = 0                       ; R7=0\n"
		 "13: (73) *(u8 *)(r10 -16) = r7        ; R7=0 R10=fp0 fp-16=???????0\n"
		 "14: (85) call bpf_get_prandom_u32#7   ; R0=scalar()\n"
		 "15: (61) r1 = *(u32 *)(r6 +0)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=scalar lost@13(mem_or_null(id=2,sz=4)) copied@11:R0 result@10"}},
		/* One of two calls that are not known: neither is blamed. */
		{"0: R1=ctx() R10=fp0\n"
		 "1: (79) r6 = *(u64 *)(r1 +0)          ; R6=new_kind_of_pointer()\n"
		 "2: (85) call bpf_some_new_kfunc#900   ; R0=scalar()\n"
		 "3: (85) call bpf_other_new_kfunc#901  ; R0=scalar()\n"
		 "4: (71) r1 = *(u8 *)(r6 +0)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=scalar set@1"}},
		/* Of one it must have been that one. */
		{"0: R1=ctx() R10=fp0\n"
		 "1: (79) r6 = *(u64 *)(r1 +0)          ; R6=new_kind_of_pointer()\n"
		 "2: (85) call bpf_some_new_kfunc#900   ; R0=scalar()\n"
		 "4: (71) r1 = *(u8 *)(r6 +0)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=scalar lost@2(new_kind_of_pointer()) set@1"}},
		/* A pointer that a 32-bit copy cuts was not taken by the call before. */
		{SKB "1: (61) r7 = *(u32 *)(r6 +76)         ; R6_w=ctx() R7_w=pkt(r=0)\n"
		     "2: (85) call bpf_skb_pull_data#39     ; R0=scalar()\n"
		     "3: (61) r7 = *(u32 *)(r6 +76)         ; R6_w=ctx() R7_w=pkt(r=0)\n"
		     "4: (bc) w8 = w7                       ; R8=scalar(umax=0xffffffff)\n"
		     "5: (71) r1 = *(u8 *)(r8 +0)\n"
		     "R8 invalid mem access 'scalar'\n" STATS,
		 {"R8=scalar(umax=0xffffffff) copied@4:R7 set@3"}},
	};

	(void)state;
	CHECK(cases);
}

#define MASKED                                                                                     \
	"0: R1=ctx() R10=fp0\n"                                                                    \
	"0: (79) r2 = *(u64 *)(r1 +8)          ; R1=ctx() R2_w=scalar()\n"                         \
	"1: (57) r2 &= 16383                   ; R2_w=scalar(smin=smin32=0,smax=umax=smax32="      \
	"umax32=16383,var_off=(0x0; 0x3fff))\n"
#define MASKED_VALUE "scalar(smin=smin32=0,smax=umax=smax32=umax32=16383,var_off=(0x0; 0x3fff))"

static void test_sizes(void **state)
{
	static const struct expectation cases[] = {
		{MASKED "2: (18) r1 = 0xffff8881               ; R1_w=map_value(map=m,ks=4,vs=70)\n"
			"4: (b7) r3 = 0                        ; R3_w=0\n"
			"5: (85) call bpf_probe_read_user#112\n"
			"invalid access to map value, value_size=70 off=0 size=16383\n"
			"R1 max value is outside of the allowed memory range\n" STATS,
		 {"R1=map_value(map=m,ks=4,vs=70) set@2",
		  "size R2=" MASKED_VALUE " altered@1 set@0"}},
		/* R3 is the size of the value, which the map has; R4 are flags. */
		{"0: R1=ctx() R10=fp0\n"
		 "1: (bf) r3 = r10                      ; R3_w=fp0 R10=fp0\n"
		 "2: (07) r3 += -8                      ; R3_w=fp-8\n"
		 "3: (b7) r4 = 1                        ; R4_w=1\n"
		 "4: (85) call bpf_map_update_elem#2\n"
		 "invalid indirect access to stack R3 off=-8 size=16\n" STATS,
		 {"R3=fp-8 altered@2 set@1", "fp-8= never"}},
		/* 5.10: the size is uninitialised stack's. */
		{"0: (bf) r1 = r10\n"
		 "1: (07) r1 += -8\n"
		 "2: (b7) r2 = 16\n"
		 "3: (85) call bpf_get_current_comm#16\n"
		 "invalid stack type R1 off=-8 access_size=16\n" STATS,
		 {"R1= altered@1 set@0", "fp-8= never"}},
		{"0: (bf) r1 = r10\n"
		 "1: (07) r1 += -8\n"
		 "2: (b7) r2 = 16\n"
		 "3: (85) call bpf_get_current_comm#16\n"
		 "invalid write to stack R1 off=-8 size=16\n" STATS,
		 {"R1= altered@1 set@0", "fp-8= never", "size R2=16 set@2"}},
		{"0: R1=ctx() R10=fp0\n"
		 "0: (79) r2 = *(u64 *)(r1 +8)          ; R2_w=scalar()\n"
		 "1: (85) call bpf_probe_read_user#112\n"
		 "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'\n" STATS,
		 {"size R2=scalar() set@0"}},
		{"0: R1=ctx() R10=fp0\n"
		 "0: (71) r2 = *(u8 *)(r1 +8)           ; R2_w=scalar(umax=255)\n"
		 "1: (85) call bpf_probe_read_user#112\n"
		 "R2 invalid zero-sized read: u64=[0,255]\n" STATS,
		 {"size R2=scalar(umax=255) set@0"}},
		{"0: R1=ctx() R10=fp0\n"
		 "0: (79) r2 = *(u64 *)(r1 +8)          ; R2_w=scalar()\n"
		 "1: (85) call bpf_probe_read_user#112\n"
		 "R2 min value is negative, either use unsigned or 'var &= const'\n" STATS,
		 {"size R2=scalar() set@0"}},
	};

	(void)state;
	CHECK(cases);
}

static void test_alterations(void **state)
{
	static const struct expectation cases[] = {
		/* The sign extension takes the bound. */
		{"0: R1=ctx() R10=fp0\n"
		 "0: (71) r2 = *(u8 *)(r1 +8)           ; R2_w=scalar(umax=255,var_off=(0x0; "
		 "0xff))\n"
		 "1: (67) r2 <<= 56                     ; R2_w=scalar(smax=0x7f00000000000000)\n"
		 "2: (c7) r2 s>>= 56                    ; R2_w=scalar(smin=-128,smax=127)\n"
		 "3: (85) call bpf_probe_read_user#112\n"
		 "R2 min value is negative, either use unsigned or 'var &= const'\n" STATS,
		 {"size R2=scalar(smin=-128,smax=127) altered@2 altered@1! set@0"}},
		/* Of two numbers the one without a bound is followed. */
		{"0: R1=ctx() R10=fp0\n"
		 "0: (79) r3 = *(u64 *)(r1 +8)          ; R3_w=scalar()\n"
		 "1: (b7) r2 = 4                        ; R2_w=4\n"
		 "2: (0f) r2 += r3                      ; R2_w=scalar() R3_w=scalar()\n"
		 "3: (85) call bpf_probe_read_user#112\n"
		 "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'\n" STATS,
		 {"size R2=scalar() altered@2:R3 set@0"}},
		/* The address, and what was added to it; and the other way round. */
		{MASKED "2: (18) r6 = 0xffff8881               ; R6_w=map_value(map=m,ks=4,vs=70)\n"
			"4: (0f) r6 += r2                      ; R2_w=" MASKED_VALUE
			" R6_w=map_value(map=m,ks=4,vs=70,umax=16383)\n"
			"5: (07) r6 += 2                       ; "
			"R6_w=map_value(map=m,ks=4,vs=70,off=2,umax=16383)\n"
			"6: (71) r0 = *(u8 *)(r6 +0)\n"
			"invalid access to map value, value_size=70 off=16385 size=1\n"
			"R6 max value is outside of the allowed memory range\n" STATS,
		 {"R6=map_value(map=m,ks=4,vs=70,off=2,umax=16383) altered@5 altered@4 set@2",
		  "offset R2=" MASKED_VALUE " altered@1 set@0"}},
		{MASKED "2: (18) r6 = 0xffff8881               ; R6_w=map_value(map=m,ks=4,vs=70)\n"
			"4: (0f) r2 += r6                      ; "
			"R2_w=map_value(map=m,ks=4,vs=70,umax=16383) R6_w=map_value()\n"
			"6: (71) r0 = *(u8 *)(r2 +0)\n"
			"invalid access to map value, value_size=70 off=16383 size=1\n"
			"R2 max value is outside of the allowed memory range\n" STATS,
		 {"R2=map_value(map=m,ks=4,vs=70,umax=16383) altered@4:R6 set@2",
		  "offset R2=" MASKED_VALUE " altered@1 set@0"}},
		/* A loop: each instruction once. */
		{"0: R1=ctx() R10=fp0\n"
		 "0: (b7) r6 = 0                        ; R6_w=0\n"
		 "1: (07) r6 += 8                       ; R6_w=8\n"
		 "2: (05) goto pc-2\n"
		 "1: (07) r6 += 8                       ; R6_w=16\n"
		 "2: (05) goto pc-2\n"
		 "1: (07) r6 += 8                       ; R6_w=24\n"
		 "3: (71) r0 = *(u8 *)(r6 +0)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=24 altered@1*3 set@0"}},
		/* 7.2 executes "|=" once for each sign; level 1 takes the log back to it. */
		{"0: R1=ctx() R10=fp0\n"
		 "0: (79) r6 = *(u64 *)(r1 +0)          ; R6=scalar()\n"
		 "1: (c7) r6 s>>= 63                    ; R6=scalar(smin=-1,smax=0)\n"
		 "2: (47) r6 |= 8 2: R6=0 R10=fp0\n"
		 "2: (47) r6 |= 8                       ; R6=8\n"
		 "3: (71) r0 = *(u8 *)(r6 +0)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=8 altered@2*2 altered@1 set@0"}},
	};

	(void)state;
	CHECK(cases);
}

static void test_stack(void **state)
{
	static const struct expectation cases[] = {
		{"0: R1=ctx() R10=fp0\n"
		 "0: (79) r3 = *(u64 *)(r1 +8)          ; R3_w=scalar()\n"
		 "1: (7b) *(u64 *)(r10 -16) = r3        ; R3_w=scalar(id=1) R10=fp0 "
		 "fp-16_w=scalar(id=1)\n"
		 "2: (b7) r3 = 1                        ; R3_w=1\n"
		 "3: (7b) *(u64 *)(r10 -8) = r3         ; R3_w=1 R10=fp0 fp-8_w=1\n"
		 "4: (79) r4 = *(u64 *)(r10 -16)        ; R4_w=scalar(id=1) R10=fp0 "
		 "fp-16=scalar(id=1)\n"
		 "5: (71) r0 = *(u8 *)(r4 +0)\n"
		 "R4 invalid mem access 'scalar'\n" STATS,
		 {"R4=scalar(id=1) filled@4:fp-16 spilled@1:R3 set@0"}},
		/* By another pointer to the stack: its state tells where, or its instructions. */
		{"0: R1=ctx() R10=fp0\n"
		 "0: (79) r3 = *(u64 *)(r1 +8)          ; R3_w=scalar()\n"
		 "1: (bf) r2 = r10                      ; R2_w=fp0 R10=fp0\n"
		 "2: (07) r2 += -32                     ; R2_w=fp-32\n"
		 "3: (7b) *(u64 *)(r2 +16) = r3         ; R2_w=fp-32 R3_w=scalar() "
		 "fp-16_w=scalar()\n"
		 "4: (79) r4 = *(u64 *)(r2 +16)         ; R4_w=scalar() R2_w=fp-32\n"
		 "5: (71) r0 = *(u8 *)(r4 +0)\n"
		 "R4 invalid mem access 'scalar'\n" STATS,
		 {"R4=scalar() filled@4:fp-16 spilled@3:R3 set@0"}},
		{"0: (79) r3 = *(u64 *)(r1 +8)\n"
		 "1: (bf) r2 = r10\n"
		 "2: (07) r2 += -32\n"
		 "3: (7b) *(u64 *)(r2 +16) = r3\n"
		 "4: (79) r4 = *(u64 *)(r10 -16)\n"
		 "5: (71) r0 = *(u8 *)(r4 +0)\n"
		 "R4 invalid mem access 'inv'\n" STATS,
		 {"R4=inv filled@4:fp-16 spilled@3:R3 set@0"}},
		/* 5.10: a number comes back without its bound. */
		{"0: R1=ctx(id=0,off=0,imm=0) R10=fp0\n"
		 "0: (71) r2 = *(u8 *)(r1 +8)\n"
		 "1: R2_w=inv(id=0,umax_value=255,var_off=(0x0; 0xff)) R10=fp0\n"
		 "1: (7b) *(u64 *)(r10 -8) = r2\n"
		 "2: R2_w=inv(id=0,umax_value=255,var_off=(0x0; 0xff)) R10=fp0 fp-8_w=mmmmmmmm\n"
		 "2: (79) r2 = *(u64 *)(r10 -8)\n"
		 "3: R2_w=inv(id=0) R10=fp0 fp-8_w=mmmmmmmm\n"
		 "3: (85) call bpf_probe_read_user#112\n"
		 "R2 min value is negative, either use unsigned or 'var &= const'\n" STATS,
		 {"size R2=inv(id=0) filled@2:fp-8! spilled@1:R2 set@0"}},
		/* A helper writes the stack: what was stored before is gone. */
		{"0: R1=ctx() R10=fp0\n"
		 "0: (7a) *(u64 *)(r10 -8) = 0          ; R10=fp0 fp-8_w=0\n"
		 "1: (bf) r1 = r10                      ; R1_w=fp0 R10=fp0\n"
		 "2: (07) r1 += -8                      ; R1_w=fp-8\n"
		 "3: (85) call bpf_probe_read_user#112  ; R0_w=scalar() fp-8_w=mmmmmmmm\n"
		 "4: (79) r6 = *(u64 *)(r10 -8)         ; R6_w=scalar() R10=fp0 fp-8=mmmmmmmm\n"
		 "5: (71) r0 = *(u8 *)(r6 +0)\n"
		 "R6 invalid mem access 'scalar'\n" STATS,
		 {"R6=scalar() filled@4:fp-8 set@3"}},
		{"0: (7a) *(u64 *)(r10 -8) = 0\n"
		 "1: (bf) r1 = r10\n"
		 "2: (07) r1 += -8\n"
		 "3: (85) call bpf_probe_read_user#112\n"
		 "4: (79) r6 = *(u64 *)(r10 -8)\n"
		 "5: (71) r0 = *(u8 *)(r6 +0)\n"
		 "R6 invalid mem access 'inv'\n" STATS,
		 {"R6=inv filled@4:fp-8 set@3"}},
		/* A helper that reads the stack is passed over. */
		{"0: (7b) *(u64 *)(r10 -8) = r6\n"
		 "1: (bf) r2 = r10\n"
		 "2: (07) r2 += -8\n"
		 "3: (85) call bpf_map_lookup_elem#1\n"
		 "4: (79) r6 = *(u64 *)(r10 -8)\n"
		 "5: (71) r0 = *(u8 *)(r6 +0)\n"
		 "R6 invalid mem access 'inv'\n" STATS,
		 {"R6=inv filled@4:fp-8 spilled@0:R6 gone"}},
		/* A callee has a stack of its own, and writes the caller's by a pointer. */
		{"0: R1=ctx() R10=fp0\n"
		 "0: (7a) *(u64 *)(r10 -8) = 0          ; R10=fp0 fp-8_w=0\n"
		 "1: (bf) r1 = r10                      ; R1_w=fp0 R10=fp0\n"
		 "2: (07) r1 += -8                      ; R1_w=fp-8\n"
		 "3: (85) call pc+2\n"
		 "caller:\n"
		 " R10=fp0 fp-8_w=0\n"
		 "callee:\n"
		 " frame1: R1_w=fp[0]-8 R10=fp0\n"
		 "6: frame1: R1_w=fp[0]-8 R10=fp0\n"
		 "6: (b7) r2 = 3                        ; frame1: R2_w=3\n"
		 "7: (7b) *(u64 *)(r1 +0) = r2          ; frame1: R1=fp[0]-8 R2_w=3\n"
		 "8: (7a) *(u64 *)(r10 -8) = 9          ; frame1: R10=fp0 fp-8_w=9\n"
		 "9: (95) exit\n"
		 "returning from callee:\n"
		 " frame1: R2=3 R10=fp0 fp-8=9\n"
		 "to caller at 4:\n"
		 " R10=fp0 fp-8=3\n"
		 "4: (79) r4 = *(u64 *)(r10 -8)         ; R4_w=3 R10=fp0 fp-8=3\n"
		 "5: (71) r0 = *(u8 *)(r4 +0)\n"
		 "R4 invalid mem access 'scalar'\n" STATS,
		 {"R4=3 filled@4:fp-8 spilled@7:R2 set@6"}},
		/* 6.1 does not say whose frame it is. */
		{"0: R1=ctx() R10=fp0\n"
		 "0: (7a) *(u64 *)(r10 -8) = 0          ; R10=fp0 fp-8_w=0\n"
		 "1: (bf) r1 = r10                      ; R1_w=fp0 R10=fp0\n"
		 "2: (07) r1 += -8                      ; R1_w=fp-8\n"
		 "3: (85) call pc+2\n"
		 "caller:\n"
		 " R10=fp0 fp-8_w=0\n"
		 "callee:\n"
		 " frame1: R1_w=fp-8 R10=fp0\n"
		 "6: frame1: R1_w=fp-8 R10=fp0\n"
		 "6: (b7) r2 = 3                        ; frame1: R2_w=3\n"
		 "7: (7b) *(u64 *)(r1 +0) = r2          ; frame1: R1=fp-8 R2_w=3\n"
		 "8: (7a) *(u64 *)(r10 -8) = 9          ; frame1: R10=fp0 fp-8_w=9\n"
		 "9: (95) exit\n"
		 "returning from callee:\n"
		 " frame1: R2=3 R10=fp0 fp-8=9\n"
		 "to caller at 4:\n"
		 " R10=fp0 fp-8=3\n"
		 "4: (79) r4 = *(u64 *)(r10 -8)         ; R4_w=3 R10=fp0 fp-8=3\n"
		 "5: (71) r0 = *(u8 *)(r4 +0)\n"
		 "R4 invalid mem access 'scalar'\n" STATS,
		 {"R4=3 filled@4:fp-8 spilled@7:R2 set@6"}},
		/* A slot of the caller, through a pointer that it passed. */
		{"0: R1=ctx() R10=fp0\n"
		 "0: (7b) *(u64 *)(r10 -8) = r1         ; R1=ctx() R10=fp0 fp-8_w=ctx()\n"
		 "1: (bf) r1 = r10                      ; R1_w=fp0 R10=fp0\n"
		 "2: (07) r1 += -8                      ; R1_w=fp-8\n"
		 "3: (85) call pc+2\n"
		 "caller:\n"
		 " R10=fp0 fp-8_w=ctx()\n"
		 "callee:\n"
		 " frame1: R1_w=fp[0]-8 R10=fp0\n"
		 "6: frame1: R1_w=fp[0]-8 R10=fp0\n"
		 "6: (79) r2 = *(u64 *)(r1 +0)          ; frame1: R1=fp[0]-8 R2_w=ctx()\n"
		 "7: (71) r0 = *(u8 *)(r2 +4096)\n"
		 "invalid bpf_context access off=4096 size=1\n" STATS,
		 {"R2=ctx() filled@6:fp-8 spilled@0:R1 entry"}},
	};

	(void)state;
	CHECK(cases);
}

/* What the state does not say, the instruction or the message may. */
static void test_not_said(void **state)
{
	static const struct expectation cases[] = {
		{"7: (b7) r1 = 0\n8: (71) r3 = *(u8 *)(r1 +0)\nR1 invalid mem access 'inv'\n",
		 {"R1=0 set@7"}},
		{"7: (b7) r6 = 5\n8: (bf) r1 = r6\n9: (71) r3 = *(u8 *)(r1 +0)\n"
		 "R1 invalid mem access 'inv'\n",
		 {"R1=5 copied@8:R6 set@7"}},
		/* 32 bits of -1 are no -1. */
		{"7: (b4) w1 = -1\n8: (71) r3 = *(u8 *)(r1 +0)\nR1 invalid mem access 'inv'\n",
		 {"R1=inv set@7"}},
		/* Altered since. */
		{"6: (b7) r1 = 1\n7: (67) r1 <<= 4\n8: (71) r3 = *(u8 *)(r1 +0)\n"
		 "R1 invalid mem access 'inv'\n",
		 {"R1=inv altered@7 set@6"}},
		/* A map's address, or a number. */
		{"6: (18) r1 = 0xffff8881\n8: (71) r3 = *(u8 *)(r1 +0)\n"
		 "R1 invalid mem access 'map_ptr'\n",
		 {"R1=map_ptr set@6"}},
		{"6: (85) call bpf_map_lookup_elem#1\n7: (71) r3 = *(u8 *)(r0 +0)\n"
		 "R0 invalid mem access 'map_value_or_null'\n",
		 {"R0=map_value_or_null result@6"}},
		{"6: (61) r1 = *(u32 *)(r7 +0)\n7: (85) call bpf_sk_release#86\n"
		 "R1 type=inv expected=sock_common, sock, tcp_sock, xdp_sock\n",
		 {"R1=inv set@6"}},
		{"6: (61) r1 = *(u32 *)(r7 +0)\n7: (07) r1 += 4\n"
		 "R1 pointer arithmetic on map_value_or_null prohibited, null-check it first\n",
		 {"R1=map_value_or_null set@6"}},
		{"6: (61) r1 = *(u32 *)(r7 +0)\n7: (85) call bpf_x#900\n"
		 "arg#0 expected pointer to ctx, but got scalar\n",
		 {"R1=scalar set@6"}},
		/* Of a helper the number is the register's. */
		{"6: (b7) r2 = 0\n7: (85) call bpf_kptr_xchg#194\n"
		 "Possibly NULL pointer passed to helper arg2\n",
		 {"R2=0 set@6"}},
		/* Classic BPF's loads only write r0; they read the index. */
		{"6: (b7) r7 = 4\n7: (b7) r0 = 1\n8: (50) r0 = *(u16 *)skb[r7 + 2]\n"
		 "BPF_LD_[ABS|IND] cannot be mixed with socket references\n",
		 {"R7=4 set@6"}},
		{"0: (61) r3 = *(u32 *)(r1 +0)\n1: (71) r2 = *(u8 *)(r1 +2)\nsomething else\n",
		 {"R1= entry"}},
	};

	(void)state;
	CHECK(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packet_changes),
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_sections_and_slices),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_alterations),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
