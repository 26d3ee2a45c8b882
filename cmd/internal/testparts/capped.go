package testparts

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// cappedRuntime returns dockerd's arguments for a runc that drops the capabilities this machine does not have. With
// --privileged dockerd requests all of them, but a machine that is itself a container may lack some. It returns nil if
// none is missing.
func cappedRuntime(t testing.TB, dir string) []string {
	t.Helper()
	var edit strings.Builder
	for _, name := range missingCapabilities(readFile(t, "/proc/self/status")) {
		fmt.Fprintf(&edit, `s/,"%[1]s"//g;s/"%[1]s",//g;`, name)
	}
	if edit.Len() == 0 {
		return nil
	}
	path := filepath.Join(dir, "capped-runc")
	script := fmt.Sprintf(`#!/bin/sh
for word; do
	case $before in
	--bundle) sed -i '%[1]s' "$word/config.json" ;;
	--process) sed -i '%[1]s' "$word" ;;
	esac
	before=$word
done
exec %[2]s "$@"
`, edit.String(), Program(t, "runc"))
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return []string{"--add-runtime", "capped=" + path, "--default-runtime", "capped"}
}

// missingCapabilities returns the capabilities that a process's bounding set lacks; see capabilities(7).
func missingCapabilities(status string) (names []string) {
	all := strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
		NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
		SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
		SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
		WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)
	found := regexp.MustCompile(`(?m)^CapBnd:\s*([0-9a-f]+)$`).FindStringSubmatch(status)
	if found == nil {
		return nil
	}
	set, err := strconv.ParseUint(found[1], 16, 64)
	for i, name := range all {
		if err == nil && set>>i&1 == 0 {
			names = append(names, "CAP_"+name)
		}
	}
	return names
}
