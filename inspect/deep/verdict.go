package deep

import (
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// verdict is the one finding of the image.
func (j *judgement) verdict(gaps bool) inspect.Finding {
	wrong, warnings, state := j.tally(gaps)
	f := j.finding(state)
	f.Verdict = true
	if s := stop(j.steps); s != nil {
		f.Stopped = &inspect.Stop{At: shorten(s.Asked), Why: whyStopped(s.Err)}
	}
	f.ABI, f.World = j.convention()
	world := ""
	if f.World != "" {
		world = ", " + string(f.World) + " world"
	}
	switch {
	case state == inspect.Mismatch:
		f.Evidence = inspect.Count(wrong, "fault")
		f.Message = fmt.Sprintf("%s (%s): the binaries are not what the entry claims: %s", j.name(), inspect.Short(f.Digest),
			j.faults(wrong))
	case state == inspect.Unchecked:
		f.Evidence = "not read"
		f.Message = fmt.Sprintf("%s (%s): not checked: %s", j.name(), inspect.Short(f.Digest), j.open(gaps))
	case j.right == 0:
		f.State, f.Evidence = inspect.Unknown, "no binary"
		f.Message = fmt.Sprintf("%s (%s): there is no binary in it that could vouch for the entry", j.name(),
			inspect.Short(f.Digest))
	case !j.all:
		f.State, f.Evidence = inspect.Partial, inspect.Count(j.right, "program")+" that it starts"+world+
			j.stopped("; stopped at ")+j.unverified()
		f.Message = fmt.Sprintf("%s (%s): what the image starts is for it (%s)", j.name(), inspect.Short(f.Digest),
			inspect.Count(j.right, "program")+world+j.stopped("; stopped at ")+j.unverified())
	default:
		f.State, f.Evidence = inspect.BinariesOK, inspect.Count(j.judged, "program")+world
		if warnings > 0 {
			f.Evidence += ", " + inspect.Count(warnings, "warning")
		}
		if j.options.Follow && j.options.EntrypointOnly {
			f.Evidence += j.stopped("; read whole, since what it starts is not followed behind ")
		}
		f.Message = fmt.Sprintf("%s (%s): %s read", j.name(), inspect.Short(f.Digest), f.Evidence)
	}
	return f.Printable()
}

// tally counts the details, and returns the state that they make: "" where nothing is wrong or unchecked.
func (j *judgement) tally(gaps bool) (wrong, warnings int, state inspect.State) {
	for _, f := range j.details {
		switch {
		case f.State == inspect.Warning:
			warnings++
		case f.State == inspect.Mismatch:
			wrong++
			state = inspect.Mismatch
		case f.State == inspect.Unchecked && state == "":
			state = inspect.Unchecked
		}
	}
	if gaps && state == "" {
		state = inspect.Unchecked
	}
	return wrong, warnings, state
}

// open is why there is no verdict.
func (j *judgement) open(gaps bool) string {
	if !gaps && j.unstated() {
		return "nothing says for which ABI it is built"
	}
	return "not every layer could be read"
}

// stopped is where following what the image starts ended, with words before it; "" where it was followed to its end.
func (j *judgement) stopped(before string) string {
	s := stop(j.steps)
	if s == nil {
		return ""
	}
	return before + shorten(s.Asked) + ", " + whyStopped(s.Err)
}

// whyStopped is the reason alone.
func whyStopped(err error) string {
	return strings.TrimPrefix(err.Error(), rootfs.ErrNotFollowed.Error()+": ")
}

// unverified says of which layers only a part was read, and what that leaves open.
func (j *judgement) unverified() string {
	var begun, listed []string
	for n, f := range j.facts {
		switch f.Part {
		case rootfs.Beginning:
			begun = append(begun, fmt.Sprint(n+1))
		case rootfs.Listed:
			listed = append(listed, fmt.Sprint(n+1))
		case rootfs.Whole:
		}
	}
	s := ""
	if len(begun) > 0 {
		s += "; only the beginning of layer " + strings.Join(begun, ", ") + " was read, so that its digest was not compared"
	}
	if len(listed) > 0 {
		s += "; layer " + strings.Join(listed, ", ") + " by its table of contents"
	}
	return s
}

// faults counts what is wrong, and how much there is of what is right.
func (j *judgement) faults(wrong int) string {
	if wrong > j.judged {
		return inspect.Count(wrong, "fault")
	}
	return fmt.Sprintf("%s among %s", inspect.Count(wrong, "fault"), inspect.Count(j.judged, "program"))
}
