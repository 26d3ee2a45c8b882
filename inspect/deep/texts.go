package deep

import (
	"bufio"
	"io"
	"path"
	"strings"

	"mtool/inspect/rootfs"
)

// texts returns the extractor for files whose content matters here; nil for all others.
func (r *reader) texts(name string) rootfs.Extractor {
	read := manifest(name)
	switch {
	case isLoaderConfig(name):
		read = loaderConfig
	case isRPM(name):
		return r.rpmInstalled
	case read == nil:
		read = database(name)
	}
	if read == nil {
		return nil
	}
	const most = 4 << 20
	return func(r io.Reader) string { return read(io.LimitReader(r, most)) }
}

func isLoaderConfig(name string) bool {
	dir, file := path.Split(name)
	return strings.HasPrefix(dir, "etc/") && (strings.HasSuffix(file, ".conf") && strings.Contains(name, "ld.so.conf") ||
		strings.HasPrefix(file, "ld-musl-") && strings.HasSuffix(file, ".path"))
}

// maxConfig limits how many bytes are kept of a loader's configuration.
const maxConfig = 16 << 10

// loaderConfig returns the lines with directories and includes, without comments.
func loaderConfig(r io.Reader) string {
	var b strings.Builder
	lines := bufio.NewScanner(io.LimitReader(r, 4*maxConfig))
	for lines.Scan() && b.Len() < maxConfig {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// configuredDirs returns the directories in the configuration files of loaders.
// https://man7.org/linux/man-pages/man8/ldconfig.8.html
func (j *judgement) configuredDirs() (dirs []string) {
	seen := map[string]bool{}
	dirs = j.loaderConfig("etc/ld.so.conf", seen)
	for _, loader := range loaders(j.platform.Architecture) {
		if musl, ok := strings.CutPrefix(loader, "lib/ld-musl-"); ok {
			list := j.text("etc/ld-musl-" + strings.TrimSuffix(musl, ".so.1") + ".path")
			dirs = append(dirs, strings.FieldsFunc(list, func(c rune) bool { return c == ':' || c == '\n' })...)
		}
	}
	return dirs
}

// maxConfigs limits how many configuration files are read, since they may include each other.
const maxConfigs = 256

func (j *judgement) loaderConfig(name string, seen map[string]bool) (dirs []string) {
	if seen[name] || len(seen) >= maxConfigs {
		return nil
	}
	seen[name] = true
	for line := range strings.Lines(j.text(name)) {
		words := strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \n:,", c) })
		switch {
		case len(words) == 0, words[0] == "hwcap":
		case words[0] == "include":
			for _, pattern := range words[1:] {
				dirs = append(dirs, j.includedDirs(pattern, name, seen)...)
			}
		default:
			dirs = append(dirs, words...)
		}
	}
	return dirs
}

// includedDirs returns the directories in the files that an include pattern matches.
func (j *judgement) includedDirs(pattern, in string, seen map[string]bool) (dirs []string) {
	if !strings.HasPrefix(pattern, "/") {
		pattern = path.Join("/"+path.Dir(in), pattern)
	}
	dir := strings.Trim(path.Dir(pattern), "/")
	for e := range j.tree.In(dir) {
		if ok, _ := path.Match(strings.TrimPrefix(pattern, "/"), path.Join(dir, base(e.Path))); ok {
			dirs = append(dirs, j.loaderConfig(e.Path, seen)...)
		}
	}
	return dirs
}

// text returns the kept text of a file; "" if there is none.
func (j *judgement) text(name string) string {
	found, err := j.tree.Lookup(name)
	if err != nil || found.File == nil {
		return ""
	}
	return found.File.Text
}
