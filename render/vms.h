/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of VMs of this host. Internal to render/ and cli/. */
#ifndef KT_RENDER_VMS_H
#define KT_RENDER_VMS_H

#include "model/vm.h"
#include "render/grid.h"

/* Over the VMs, which must outlive the grid. */
struct render_grid render_vms_grid(const struct vms *vms);

/* The document "ktstr-gdb.vms.v1", with all columns of each row, as text that the caller frees. */
struct kt_error *render_vms_json(const struct render_grid *grid, char **ret);

#endif
