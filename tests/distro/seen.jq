# Which keys bpftool printed in the guest, and what came of each: lines of KIND, KEY, VERDICT.
include "compare";

# "funcs[].addr": all keys that a document has below it.
def key_paths: [paths(type != "object" and type != "array" or length == 0)] |
	map(map(if type == "number" then "[]" else "." + . end) | add | ltrimstr(".")) | unique;

# What the checks of cgroups, devices and perf events look at; they compare all of it.
def looked_at: {
	cgroup: ["cgroup", "programs[].id", "programs[].attach_type", "programs[].name"],
	net: ["xdp[].devname", "xdp[].ifindex", "xdp[].mode", "xdp[].id", "tc[].devname", "tc[].kind", "tc[].id"],
	perf: ["pid", "fd", "prog_id", "fd_type", "tracepoint", "func", "offset", "filename", "addr"]
};

def verdict($kind; $key):
	($key | split("[]")[0] | split(".")[0]) as $top |
	if (looked_at | has($kind)) then
		if looked_at[$kind] | index($key) then "equal" else "elsewhere" end
	elif not_read[$kind] | index($top) then "not read"
	elif grows | index($top) then "not less"
	else "equal" end;

"prog", "map", "link", "btf", "struct_ops", "cgroup", "net", "perf" | . as $kind |
	($truth[0][$kind] // [])[] | key_paths[] | select(. != "") | [$kind, ., verdict($kind; .)] | @tsv
