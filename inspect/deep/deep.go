package deep

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// Options set how much is read and what is allowed. The zero value reads everything and allows what Rules allows.
type Options struct {
	// EntrypointOnly judges only the programs that an image starts, and reads layers from the top until they are found.
	// Reading a large layer stops as soon as they are known, or uses its table of contents if it has one. Its digest is
	// then not verified, as the verdict says, and a registry could serve other bytes later. An image without a command
	// is read completely, and so is one for Windows, whose commands are not followed.
	EntrypointOnly bool
	// AllowForeign matches files that may be for any machine, unless the image starts them or they are its own loader,
	// libc or shell.
	AllowForeign []Glob
	// Follow makes EntrypointOnly strict: an image is read completely if what it starts can't be followed to the end.
	Follow bool
	// Uses says how each image of the report is used; nil or empty: as its config says.
	Uses [][]Use
	// Explain has paths of files. A note explains for each why it is needed, and which rule applied to it.
	Explain []string
	// Strict makes programs that need a newer processor a mismatch, ignores exemptions by image labels, and reads every
	// layer that it needs to its end.
	Strict bool
	// WholeLayers reads every needed layer to its end, as Strict does, without the rest of Strict.
	WholeLayers bool
	// IgnoreLabels ignores exemptions by image labels, as Strict does, without the rest of Strict.
	IgnoreLabels bool
	// ABI has the required ABI by architecture, spelled as in binary.ABIs: loong64 of the new world, musl on amd64.
	ABI map[string]string
	// PageSize is the page size of the hosts in bytes; 0: unknown. A file that can't be loaded there is a mismatch.
	PageSize int64
	// Known returns the facts of a layer that was read before; nil: none was. Several goroutines call it at once.
	Known func(layer v1.Hash) (rootfs.LayerFacts, bool)
	// Keep receives the facts of each layer that was read to its end and verified, as soon as it is; nil: not called.
	// One goroutine at a time calls it.
	Keep func(facts rootfs.LayerFacts)
	// Limits bounds what is read of a layer; zero members mean the defaults.
	Limits rootfs.Limits
}

// Result has what was found in the layers of a Report.
type Result struct {
	// Verdicts has one finding for each image, in the order of the report. It is the zero value for images whose
	// manifest or config could not be read, and for those without a platform.
	Verdicts []inspect.Finding
	// Findings are about single files, layers and exemptions, image by image, the most important first.
	Findings []inspect.Finding
	// Counts has the number of Findings about each image of the report.
	Counts []int
	// Contents lists what each image of the report contains; the zero value for images without a verdict.
	Contents []inspect.Contents
	Cost     Cost
}

// Cost counts what was read.
type Cost struct {
	Layers int   // distinct layers that were read
	Bytes  int64 // their compressed bytes
	Known  int   // distinct layers that were not read, since their facts were known
	Whole  int   // images that were read completely, since what they start could not be followed
}

// Inspect reads the layers of all images and judges their programs. A broken image or layer is a finding, and the
// others are still judged. The error is that of ctx.
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
	if err := read.readAll(ctx, subjects); err != nil {
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
			r.Findings, r.Counts[n], r.Contents[n] = append(r.Findings, details...), len(details), read.contents[n]
		}
	}
	return r, nil
}

// broken returns the verdict on an image whose config contradicts its manifest.
func (s subject) broken() inspect.Finding {
	f := s.finding(inspect.Mismatch)
	f.Err, f.Evidence = s.err, "the config does not fit the manifest"
	f.Message = s.name() + ": " + s.err.Error()
	return f.Printable()
}

// Of returns the part of the result about the images from first up to end, exclusive. Its cost is that of the whole
// result.
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

// Over merges the verdicts into the findings of inspect.Check about the same report. For an image whose claims hold,
// the verdict on its binaries replaces the finding; for one whose claims are wrong, the verdict is added as a note.
// Suspicions about images whose binaries are all right are left out. Findings about single files come last.
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
			v.Message += ", although its claims are wrong"
			notes = append(notes, v.Note(RuleBinariesToo))
		}
	}
	return append(append(all, notes...), r.Findings...)
}

// unsettled returns the claims without the suspicions that the binaries disprove, about one image or several.
func (r Result) unsettled(claims []inspect.Finding) (left []inspect.Finding) {
	right, all := map[v1.Hash]bool{}, true
	for _, v := range r.Verdicts {
		right[v.Digest] = v.State == inspect.BinariesOK
		all = all && right[v.Digest]
	}
	left = make([]inspect.Finding, 0, len(claims)+len(r.Findings))
	for _, f := range claims {
		if !f.Suspicion || f.Platform != "" && !right[f.Digest] || f.Platform == "" && !all {
			left = append(left, f)
		}
	}
	return left
}
