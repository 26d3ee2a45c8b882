package deep

import (
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// verdict returns the one finding about the whole image.
func (j *judgement) verdict(gaps bool) inspect.Finding {
	wrong, warnings, state := j.tally(gaps)
	f := j.finding(state)
	f.Verdict = true
	if s := firstStop(j.steps); s != nil {
		f.Stopped = &inspect.Stop{At: shorten(s.Name), Why: whyStopped(s.Err)}
	}
	f.ABI, f.World = j.convention()
	world := ""
	if f.World != "" {
		world = ", " + string(f.World) + " world"
	}
	switch {
	case state == inspect.Mismatch:
		f.Evidence = inspect.Count(wrong, "fault")
		f.Message = fmt.Sprintf("%s (%s): the binaries are not what the entry claims: %s",
			j.name(), inspect.Short(f.Digest), j.countFaults(wrong))
	case state == inspect.Unchecked:
		f.Evidence = "not read"
		f.Message = fmt.Sprintf("%s (%s): not checked: %s", j.name(), inspect.Short(f.Digest), j.whyUnchecked(gaps))
	case j.right == 0:
		f.State, f.Evidence = inspect.Unknown, "no binary"
		f.Message = fmt.Sprintf("%s (%s): the image has no binary that could prove its platform", j.name(),
			inspect.Short(f.Digest))
	case !j.judgeAll:
		programs, limits := inspect.Count(j.right, "program"), j.whereStopped("; stopped at ")+j.unverified()
		f.State, f.Evidence = inspect.Partial, programs+" that it starts"+world+limits
		f.Message = fmt.Sprintf("%s (%s): the programs that the image starts fit it (%s)",
			j.name(), inspect.Short(f.Digest), programs+world+limits)
	default:
		f.State, f.Evidence = inspect.BinariesOK, inspect.Count(j.judged, "program")+world
		if warnings > 0 {
			f.Evidence += ", " + inspect.Count(warnings, "warning")
		}
		if j.options.Follow && j.options.EntrypointOnly {
			f.Evidence += j.whereStopped("; read completely, since what it starts can't be followed past ")
		}
		f.Message = fmt.Sprintf("%s (%s): %s read", j.name(), inspect.Short(f.Digest), f.Evidence)
	}
	return f.Printable()
}

// tally counts the details, and returns the resulting state; "" if nothing is wrong or unchecked.
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

// whyUnchecked returns why there is no verdict.
func (j *judgement) whyUnchecked(gaps bool) string {
	if !gaps && j.abiUnstated() {
		return "no file states the ABI that it is built for"
	}
	return "not every layer could be read"
}

// whereStopped returns, after a prefix, where following what the image starts ended; "" if it was followed to the
// end.
func (j *judgement) whereStopped(before string) string {
	s := firstStop(j.steps)
	if s == nil {
		return ""
	}
	return before + shorten(s.Name) + ", " + whyStopped(s.Err)
}

// whyStopped returns only the reason of a stop.
func whyStopped(err error) string {
	return strings.TrimPrefix(err.Error(), rootfs.ErrNotFollowed.Error()+": ")
}

// unverified returns which layers were read only in part.
func (j *judgement) unverified() string {
	var partial, listed []string
	for n, f := range j.facts {
		switch f.Part {
		case rootfs.Beginning:
			partial = append(partial, fmt.Sprint(n+1))
		case rootfs.Listed:
			listed = append(listed, fmt.Sprint(n+1))
		case rootfs.Whole:
		}
	}
	text := ""
	if len(partial) > 0 {
		text += "; only the beginning of layer " + strings.Join(partial, ", ") + " was read, so its digest was not verified"
	}
	if len(listed) > 0 {
		text += "; layer " + strings.Join(listed, ", ") + " was read by its table of contents"
	}
	return text
}

// countFaults returns the number of faults and, if it is meaningful, of judged programs.
func (j *judgement) countFaults(wrong int) string {
	if wrong > j.judged {
		return inspect.Count(wrong, "fault")
	}
	return fmt.Sprintf("%s among %s", inspect.Count(wrong, "fault"), inspect.Count(j.judged, "program"))
}
