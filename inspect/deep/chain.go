package deep

import (
	"errors"
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// chain tells where the way from the image's command to its programs breaks off.
func (j *judgement) chain() {
	for _, s := range j.steps {
		if s.Err == nil {
			continue
		}
		f := j.finding(inspect.Mismatch)
		f.Role, f.Path = string(s.Role), s.Found.Path
		f.Evidence = s.Err.Error()
		f.Message = fmt.Sprintf("%s: the %s %s, asked for by %s: %s", j.name(), s.Role, quote(s.Asked), by(s.By), reason(s)) +
			j.wanted(s)
		switch {
		case errors.Is(s.Err, rootfs.ErrNotFollowed) && !j.all:
			f = f.Note(RuleNotFollowed)
			f.Stopped = &inspect.Stop{At: shorten(s.Asked), Why: whyStopped(s.Err)}
		case errors.Is(s.Err, rootfs.ErrNotFollowed):
			continue // it is judged with everything else
		case errors.Is(s.Err, rootfs.ErrUnread):
			continue // the layers that were not read have their own findings
		case s.Guess:
			continue
		case j.programs == 0 && len(j.uses) == 0 && s.By == "the image config" && errors.Is(s.Err, rootfs.ErrMissing):
			f = f.Note(RuleNoCommand) // data, where the command is there to please a tool
		}
		j.add(f)
	}
}

// workingDirs reports working directories that are not there, which runtimes make, or can't be there.
func (j *judgement) workingDirs() {
	told := map[string]bool{}
	for _, u := range j.subject.all() {
		dir := j.command(u).WorkingDir
		if dir == "" || told[dir] || u.Volume || j.platform.OS == "windows" {
			continue
		}
		told[dir] = true
		made, err := j.tree.Dir(dir)
		if !made {
			continue
		}
		f := j.finding(inspect.Mismatch)
		if err != nil {
			f.Evidence = err.Error()
			f.Message = fmt.Sprintf("%s: the working directory %s: %v", j.name(), dir, err)
		} else {
			f = f.Note(RuleNoWorkingDir)
			f.Evidence = "not in the image"
			f.Message = fmt.Sprintf("%s: the working directory %s is not in the image: runtimes make it", j.name(), dir)
		}
		j.add(f)
	}
}

// reason is why a step ends, without the name that the message has already.
func reason(s rootfs.Step) string {
	return strings.TrimSuffix(s.Err.Error(), fmt.Sprintf(": no %q", s.Asked))
}

// quote quotes a command and shortens it: it may be a whole shell script.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }

func shorten(s string) string {
	const most = 60
	if s = strings.Join(strings.Fields(s), " "); len(s) > most {
		s = s[:most] + "…"
	}
	return s
}

func by(who string) string {
	if strings.Contains(who, " ") && !strings.Contains(who, "/") {
		return who // "the image config", "a probe or hook"
	}
	return "/" + who
}

// unfollowed notes that nothing is known of what the image starts.
func (j *judgement) unfollowed(err error) {
	if !errors.Is(err, rootfs.ErrNotFollowed) {
		return
	}
	f := j.finding("").Note(RuleNotFollowed)
	f.Role, f.Evidence, f.Stopped = string(rootfs.Entrypoint), err.Error(), &inspect.Stop{Why: whyStopped(err)}
	f.Message = fmt.Sprintf("%s: the entrypoint: %v", j.name(), err)
	j.add(f)
}
