// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel module for the outer guest of tests/kvm, which runs under QEMU's TCG with nested SVM.
 * TCG's VMRUN loads DR7 into env->dr[7], but does not set the breakpoints that it enables
 * (target/i386/tcg/sysemu/svm_helper.c, QEMU 7.2 to 11.1). So hardware breakpoints of a KVM guest
 * never fire. They fire when the host sets DR7 itself before VMRUN: this module does that, at the
 * entry of svm_vcpu_run(), for vCPUs with hardware breakpoints of a debugger.
 */
/* In this order: debugreg.h needs what the others declare. */
/* clang-format off */
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <asm/debugreg.h>
/* clang-format on */

static int entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (void *)regs->di;

	if (!(vcpu->guest_debug & KVM_GUESTDBG_USE_HW_BP))
		return 1; /* no return probe either */
	native_set_debugreg(7, vcpu->arch.guest_debug_dr7);
	return 0;
}
NOKPROBE_SYMBOL(entry);

static int leave(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	native_set_debugreg(7, 0);
	return 0;
}
NOKPROBE_SYMBOL(leave);

static struct kretprobe probe = {
	.kp.symbol_name = "svm_vcpu_run",
	.entry_handler = entry,
	.handler = leave,
	.maxactive = 64,
};

static int __init dr7fix_init(void)
{
	return register_kretprobe(&probe);
}

static void __exit dr7fix_exit(void)
{
	unregister_kretprobe(&probe);
}

module_init(dr7fix_init);
module_exit(dr7fix_exit);
MODULE_DESCRIPTION("Hardware breakpoints of KVM guests under TCG");
MODULE_LICENSE("GPL");
