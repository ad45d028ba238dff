#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# KVM guests, in an outer guest under TCG: the short form of `make kvm`. Some minutes.
exec "$(dirname "$0")/../kvm/matrix" --short
