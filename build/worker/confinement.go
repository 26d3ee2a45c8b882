package worker

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// confinement describes what this process may not do, as far as /proc tells.
type confinement struct {
	proc  string // the directory, "/proc"
	root  bool   // this process is root, of the machine or a container
	probe func() error
}

func (p confinement) read(file string) string {
	b, err := os.ReadFile(filepath.Join(p.proc, file))
	if err != nil {
		return ""
	}
	return string(b)
}

// status returns a value of /proc/self/status.
func (p confinement) status(key string) string {
	for line := range strings.Lines(p.read("self/status")) {
		if name, value, _ := strings.Cut(line, ":"); name == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// filtered reports whether a seccomp filter is active (mode 2 of seccomp(2)).
func (p confinement) filtered() bool { return p.status("Seccomp") == "2" }

// appArmor returns the profile that confines this process, "" for none: "docker-default (enforce)".
func (p confinement) appArmor() string {
	profile := strings.TrimSpace(strings.Trim(p.read("self/attr/current"), "\x00"))
	if name, mode, _ := strings.Cut(profile, " ("); name != "unconfined" && mode == "enforce)" {
		return name
	}
	return ""
}

// missingCaps returns the capabilities that root needs for mapping ids but lacks.
func (p confinement) missingCaps() (names []string) {
	have, err := strconv.ParseUint(p.status("CapEff"), 16, 64)
	if err != nil {
		return nil
	}
	for _, c := range []struct {
		bit  int // include/uapi/linux/capability.h
		name string
	}{{6, "SETGID"}, {7, "SETUID"}, {31, "SETFCAP"}} {
		if have&(1<<c.bit) == 0 {
			names = append(names, c.name)
		}
	}
	return names
}

const capSysAdmin = 21

// bounded reports whether no program started by this process can get the capability.
func (p confinement) bounded(capability int) bool {
	may, err := strconv.ParseUint(p.status("CapBnd"), 16, 64)
	return err == nil && may&(1<<capability) == 0
}

// chrooted reports whether this process's root is not a mount point that it sees.
func (p confinement) chrooted() bool {
	info := p.read("self/mountinfo")
	for line := range strings.Lines(info) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == "/" {
			return false
		}
	}
	return info != ""
}
