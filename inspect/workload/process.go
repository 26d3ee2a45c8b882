package workload

import (
	"fmt"
	"strings"
)

// Process is what a workload starts of its image. It overrides the image's config; the zero value starts the image
// unchanged.
type Process struct {
	Entrypoint []string // nil: the image's; empty: none
	Cmd        []string // nil: the image's; empty: none
	Env        []string // PATH=value, added to the image's; other variables are left out
	WorkingDir string   // "": the image's
	Health     []string // the command of the health check; nil: the image's; empty: none
	// Extra are other commands started in the container: those of probes and hooks.
	Extra [][]string
	// Mounts are the directories and files in the container that hide the image's.
	Mounts []string
	// Unknown says why the command is not known before the container starts; "" if it is.
	Unknown string
	// Volume means that nothing is started: the files are mounted into another container.
	Volume bool
}

// containerProcess returns what a container of a pod starts:
// https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
func containerProcess(c *node) Process {
	p := Process{WorkingDir: c.get("workingDir").str()}
	vars := containerEnv(c, &p)
	if command := c.get("command").list(); len(command) > 0 {
		p.Entrypoint, p.Cmd = p.expand(c.get("command"), vars), []string{}
	}
	if args := c.get("args").list(); len(args) > 0 {
		p.Cmd = p.expand(c.get("args"), vars)
	}
	for _, path := range [][]string{
		{"livenessProbe", "exec"},
		{"readinessProbe", "exec"},
		{"startupProbe", "exec"},
		{"lifecycle", "postStart", "exec"},
		{"lifecycle", "preStop", "exec"},
	} {
		if words := c.get(append(path, "command")...).words(); len(words) > 0 {
			p.Extra = append(p.Extra, words)
		}
	}
	for _, m := range c.get("volumeMounts").list() {
		if at := m.get("mountPath").str(); at != "" {
			p.Mounts = append(p.Mounts, at)
		}
	}
	return p
}

// containerEnv returns the variables of a container with their values in the file; those from elsewhere are
// unknownValue.
func containerEnv(c *node, p *Process) map[string]string {
	vars := map[string]string{}
	for _, e := range c.get("env").list() {
		name := e.get("name").scalar()
		value := dependent(e.get("value").scalar(), vars)
		if e.get("valueFrom") != nil || strings.Contains(value, unknownValue) {
			value = unknownValue
		}
		vars[name] = value
		switch {
		case name != "PATH":
		case value == unknownValue:
			p.Unknown = "PATH is set when the container starts"
		default:
			p.Env = append(p.Env, "PATH="+value)
		}
	}
	return vars
}

// unknownValue stands for a value that is only known when the container starts; no value in a file has a NUL.
const unknownValue = "\x00"

// expand interpolates the variables of a command.
func (p *Process) expand(words *node, vars map[string]string) []string {
	all := words.words()
	for n, word := range all {
		all[n] = dependent(word, vars)
		if strings.Contains(all[n], unknownValue) {
			p.Unknown = fmt.Sprintf("%q is known when the container starts", word)
		}
	}
	return all
}

// dependent replaces $(NAME); $$ is a dollar sign, and a name that is not set stays as it is:
// https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
func dependent(text string, vars map[string]string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text = after
		if strings.HasPrefix(text, "$") {
			b.WriteByte('$')
			text = text[1:]
			continue
		}
		name, rest, closed := strings.Cut(strings.TrimPrefix(text, "("), ")")
		value, set := vars[name]
		if !closed || !set || !strings.HasPrefix(text, "(") {
			b.WriteByte('$')
			continue
		}
		b.WriteString(value)
		text = rest
	}
}
