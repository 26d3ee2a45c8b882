package deep

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// Options say how much is read and what may be there. The zero value reads everything and allows what Rules has.
type Options struct {
	// EntrypointOnly judges only the programs that an image starts, and reads layers from the top until they are found. A
	// large layer is left as soon as they are known, or read by its table of contents, if it has one: its digest is not
	// compared then, which the verdict says, and a registry could serve other bytes later. An image without a command, or
	// of a system whose commands are not followed (Windows), is read as a whole.
	EntrypointOnly bool
	// AllowForeign are paths of files that may be for any machine, unless the image starts them or they are its own
	// loader, libc or shell.
	AllowForeign []Glob
	// Follow makes of EntrypointOnly a promise: an image is read as a whole where what it starts can't be followed to its
	// end.
	Follow bool
	// Uses has, for each image of the report, how it is used; nil or empty: as its config says.
	Uses [][]Use
	// Explain are paths about which a note says who needs the file, and which rule decided on it.
	Explain []string
	// Strict makes mismatches of programs that need a newer processor, ignores what images ask for by their label, and
	// reads each layer that it needs to its end.
	Strict bool
	// WholeLayers reads each layer that it needs to its end, as Strict does, without the rest of Strict.
	WholeLayers bool
	// IgnoreLabels ignores what images ask for by their label, without the rest of Strict.
	IgnoreLabels bool
	// ABI is what programs must be, by architecture, as binary.ABIs spells it: loong64 of the new world, musl on amd64.
	ABI map[string]string
	// PageSize is how large the pages of the hosts are, in bytes; 0: not known. A file that can't be loaded there is a
	// mismatch.
	PageSize int64
	// Known has the facts of layers that were read before; nil: none. It is called by several goroutines at once.
	Known func(layer v1.Hash) (rootfs.LayerFacts, bool)
	// Keep is given the facts of every layer that was read to its end and verified, as soon as it was; nil: not called. It
	// is called by one goroutine at a time.
	Keep func(facts rootfs.LayerFacts)
	// Limits bound what is read of a layer; zero members have defaults.
	Limits rootfs.Limits
}

// Result is what was found in the layers of a Report.
type Result struct {
	// Verdicts has one finding for each image of the report, in its order. It is the zero value for images that could not
	// be read as far as their config, and for those that have no platform.
	Verdicts []inspect.Finding
	// Findings are those about single files, layers and exemptions, image by image, what matters most first.
	Findings []inspect.Finding
	// Counts has, for each image of the report, how many of Findings are about it.
	Counts []int
	// Contents has what is in each image of the report; it is the zero value for images without a verdict.
	Contents []inspect.Contents
	Cost     Cost
}

// Cost is what was read.
type Cost struct {
	Layers int   // distinct layers that were read
	Bytes  int64 // their compressed bytes
	Known  int   // distinct layers whose facts were known before, and that were not read
	Whole  int   // images that were read as a whole since what they start could not be followed
}

// Inspect reads the layers of all images and judges their programs. What is wrong with an image or a layer is a
// finding, and the others are judged nevertheless; the error is that of ctx.
func Inspect(ctx context.Context, report inspect.Report, o Options) (Result, error) {
	subjects := make([]subject, len(report.Images))
	for n, i := range report.Images {
		var uses []Use
		if n < len(o.Uses) {
			uses = o.Uses[n]
		}
		subjects[n] = newSubject(i, n, uses)
	}
	read := newReader(o)
	if err := read.all(ctx, subjects); err != nil {
		return Result{}, err
	}
	r := Result{
		Verdicts: make([]inspect.Finding, len(subjects)), Counts: make([]int, len(subjects)), Cost: read.cost,
		Contents: make([]inspect.Contents, len(subjects)),
	}
	for n, s := range subjects {
		switch {
		case s.Err != nil:
		case s.err != nil:
			r.Verdicts[n] = s.broken()
		case s.readable():
			var details []inspect.Finding
			r.Verdicts[n], details = judge(s, read, o)
			r.Findings, r.Counts[n], r.Contents[n] = append(r.Findings, details...), len(details), read.holds[n]
		}
	}
	return r, nil
}

// broken is the verdict on an image whose config contradicts its manifest.
func (s subject) broken() inspect.Finding {
	f := s.finding(inspect.Mismatch)
	f.Err, f.Evidence = s.err, "the config does not fit the manifest"
	f.Message = s.name() + ": " + s.err.Error()
	return f.Printable()
}

// Of is the part of the result that is about the images from first to before end; its cost is that of the whole.
func (r Result) Of(first, end int) Result {
	skip, count := 0, 0
	for n, c := range r.Counts[:end] {
		if n < first {
			skip += c
		} else {
			count += c
		}
	}
	return Result{
		Verdicts: r.Verdicts[first:end], Findings: r.Findings[skip : skip+count], Counts: r.Counts[first:end],
		Contents: r.Contents[first:end], Cost: r.Cost,
	}
}

// Over lays the verdicts over the findings that inspect.Check made of the same report: an image whose claims hold gets
// the verdict on its binaries, one whose claims are wrong keeps that and gets a note too. Suspicions about images whose
// binaries are all right are left out. What concerns single files follows at the end.
func (r Result) Over(claims []inspect.Finding) []inspect.Finding {
	all := r.unsettled(claims)
	var notes []inspect.Finding
	for n, v := range r.Verdicts {
		switch {
		case v.State == "" || n >= len(all):
		case all[n].State == inspect.ClaimsOK:
			all[n] = v
		case v.State == inspect.Mismatch || v.State == inspect.Unchecked:
			notes = append(notes, v)
		default:
			v.Message += ", whatever else is wrong"
			notes = append(notes, v.Note(RuleBeside))
		}
	}
	return append(append(all, notes...), r.Findings...)
}

// unsettled returns the claims without the suspicions that the binaries have cleared, be they about one image or
// several.
func (r Result) unsettled(claims []inspect.Finding) (left []inspect.Finding) {
	right, all := map[v1.Hash]bool{}, true
	for _, v := range r.Verdicts {
		right[v.Digest] = v.State == inspect.BinariesOK
		all = all && right[v.Digest]
	}
	for _, f := range claims {
		if !f.Suspicion || f.Platform != "" && !right[f.Digest] || f.Platform == "" && !all {
			left = append(left, f)
		}
	}
	return left
}
