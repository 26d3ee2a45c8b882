package deep

import (
	"errors"
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// reportChain reports where the chain from the image's command to its programs breaks.
func (j *judgement) reportChain() {
	for _, s := range j.steps {
		if s.Err == nil {
			continue
		}
		f := j.finding(inspect.Mismatch)
		f.Role, f.Path = string(s.Role), s.Found.Path
		f.Evidence = s.Err.Error()
		f.Message = fmt.Sprintf("%s: the %s %s, required by %s: %s",
			j.name(), s.Role, quote(s.Name), requester(s.By), reason(s)) + j.missingLibc(s)
		switch {
		case errors.Is(s.Err, rootfs.ErrNotFollowed) && !j.judgeAll:
			f = f.Note(RuleNotFollowed)
			f.Stopped = &inspect.Stop{At: shorten(s.Name), Why: whyStopped(s.Err)}
		case errors.Is(s.Err, rootfs.ErrNotFollowed):
			continue // the whole image is judged anyway
		case errors.Is(s.Err, rootfs.ErrUnread):
			continue // unread layers have their own findings
		case s.Guess:
			continue
		case j.programs == 0 && len(j.uses) == 0 && s.By == "the image config" && errors.Is(s.Err, rootfs.ErrMissing):
			f = f.Note(RuleNoCommand) // an image of data, whose command only satisfies a tool
		}
		j.add(f)
	}
}

// reportWorkingDirs reports working directories that are missing, which runtimes create, or that can't be created.
func (j *judgement) reportWorkingDirs() {
	reported := map[string]bool{}
	for _, u := range j.useList() {
		dir := j.command(u).WorkingDir
		if dir == "" || reported[dir] || u.Volume || j.platform.OS == "windows" {
			continue
		}
		reported[dir] = true
		missing, err := j.tree.Dir(dir)
		if !missing {
			continue
		}
		f := j.finding(inspect.Mismatch)
		if err != nil {
			f.Evidence = err.Error()
			f.Message = fmt.Sprintf("%s: the working directory %s: %v", j.name(), dir, err)
		} else {
			f = f.Note(RuleNoWorkingDir)
			f.Evidence = "not in the image"
			f.Message = fmt.Sprintf("%s: the working directory %s is not in the image: runtimes create it", j.name(), dir)
		}
		j.add(f)
	}
}

// reason returns why a step failed, without the name, which the message already contains.
func reason(s rootfs.Step) string {
	return strings.TrimSuffix(s.Err.Error(), fmt.Sprintf(": no %q", s.Name))
}

// quote quotes and shortens a command, which may be a whole shell script.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }

func shorten(s string) string {
	const most = 60
	if s = strings.Join(strings.Fields(s), " "); len(s) > most {
		s = s[:most] + "…"
	}
	return s
}

// requester returns how messages name what requires a file.
func requester(name string) string {
	if strings.Contains(name, " ") && !strings.Contains(name, "/") {
		return name // "the image config", "a probe or hook"
	}
	return "/" + name
}

// reportUnfollowed notes that what the image starts is not known.
func (j *judgement) reportUnfollowed(err error) {
	if !errors.Is(err, rootfs.ErrNotFollowed) {
		return
	}
	f := j.finding("").Note(RuleNotFollowed)
	f.Role, f.Evidence, f.Stopped = string(rootfs.Entrypoint), err.Error(), &inspect.Stop{Why: whyStopped(err)}
	f.Message = fmt.Sprintf("%s: the entrypoint: %v", j.name(), err)
	j.add(f)
}
