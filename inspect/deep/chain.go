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
		f.Message = fmt.Sprintf("%s: the %s %s, asked for by %s: %v", j.name(), s.Role, asked(s.Asked), by(s.By), s.Err)
		switch {
		case errors.Is(s.Err, rootfs.ErrNotFollowed) && !j.all:
			f.State = inspect.Note
		case errors.Is(s.Err, rootfs.ErrNotFollowed):
			continue // it is judged with everything else
		case errors.Is(s.Err, rootfs.ErrUnread):
			continue // the layers that were not read have their own findings
		case j.programs == 0:
			f.State = inspect.Note // data, where the command is there to please a tool
		}
		j.add(f)
	}
}

// asked shortens what may be a whole shell script.
func asked(s string) string {
	const most = 60
	if s = strings.Join(strings.Fields(s), " "); len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Sprintf("%q", s)
}

func by(who string) string {
	if who == "the image config" {
		return who
	}
	return "/" + who
}

// unfollowed notes that nothing is known of what the image starts.
func (j *judgement) unfollowed(err error) {
	if err == nil || errors.Is(err, rootfs.ErrNoCommand) {
		return
	}
	f := j.finding(inspect.Note)
	f.Role, f.Evidence = string(rootfs.Entrypoint), err.Error()
	f.Message = fmt.Sprintf("%s: the entrypoint: %v", j.name(), err)
	j.add(f)
}
