# What bpftool in the guest says of its objects, and what we say from outside. Each object that differs
# is [id, key, theirs, ours]: all keys of bpftool count, but for those named here.

# What is not read: it is in docs/bpftool.md, too.
def not_read: {
	prog: ["pids", "pinned", "metadata"],
	map: ["pids", "pinned"],
	link: ["pids", "pinned"],
	btf: ["pids"],
	struct_ops: []
};

# These grow, and we were asked later.
def grows: ["run_cnt", "run_time_ns", "recursion_misses", "missed"];

# bpftool has lists of IDs in the order of its hash table.
def sorted: if type == "array" and all(.[]; type == "number") then sort else . end;

def same($key; $theirs; $ours; $hash):
	# Of types whose memory is not told; and entries of a hash come and go.
	if $key == "bytes_memlock" and ($ours == null or $hash) then true
	elif grows | index($key) then $ours != null and $ours >= $theirs
	else ($theirs | sorted) == ($ours | sorted) end;

# bpftool asks for each map with what the kernel said of the one before, and Linux 7.2 leaves the ID of
# the BTF in there if a map has none. `btf show` asks anew for each.
def without_stale: . as $all | [range(length) as $i | $all[$i] |
	if $i > 0 and .btf_id and .btf_id == $all[$i - 1].btf_id then . + {stale: true} else . end];

def differences($kind; $theirs; $ours):
	($ours | map({(.id | tostring): .}) | add // {}) as $by_id |
	[$theirs | (if $kind == "map" then without_stale else . end)[] | . as $object | $by_id[.id | tostring] as $mine |
		if $mine == null then [.id, "", "it is there", "it is not there"]
		else del(.stale) | keys[] | select(. as $key | not_read[$kind] | index($key) | not) |
			select(. != "btf_id" or ($object.stale and $mine.btf_id == 0 | not)) |
			select(same(.; $object[.]; $mine[.]; $object.type // "" | test("hash|trie")) | not) | [$object.id, ., $object[.], $mine[.]] end] +
	[($ours | map(.id)) - ($theirs | map(.id)) | .[] | [., "", "it is not there", "it is there"]];
