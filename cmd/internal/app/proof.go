package app

import (
	"cmp"
	"context"

	"mtool/build"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/provenance"
	"mtool/inspect/signature"
)

// ProofOptions are what is checked in addition to claims and binaries. The zero value means nothing.
type ProofOptions struct {
	RunOptions
	SignatureOptions
	Provenance               bool // compare the provenance of every image with the image
	ReadProvenance, ReadSBOM bool // return their content in Proof
}

// RunOptions are whether a command is run in every image. The zero value runs none.
type RunOptions struct {
	Run     bool
	Command inspect.Command
	Trial   build.TrialOptions
}

// SignatureOptions are whether signatures are looked up. The zero value looks up none.
type SignatureOptions struct {
	Signatures bool // look them up; Keys verify them
	Keys       []signature.Key
	Scope      signature.Scope // what one of Keys must have signed; "" means all
}

// Proof is what ProofOptions found.
type Proof struct {
	Runs       []inspect.Tried          // of the images of the report, in order; nil if nothing was run
	Signatures *signature.Result        // nil if none were looked up
	Statements [][]provenance.Statement // of the images of the report, in order; nil if none were read
}

// proof returns what o names, and the findings about it.
func (e *Env) proof(ctx context.Context, r inspect.Report, o ProofOptions) (p Proof, all []inspect.Finding, err error) {
	if o.Provenance || o.ReadProvenance || o.ReadSBOM {
		p.Statements, all = readStatements(ctx, r, o)
	}
	if o.Signatures || len(o.Keys) > 0 {
		publisher := e.publisher(publish.Compression{})
		finder := signature.Finder{Open: publisher.Open, Referrers: publisher.ReferrersOf}
		if p.Signatures, err = finder.Find(ctx, r, o.Keys); err != nil {
			return p, nil, err
		}
		if found := p.Signatures; found.Verified {
			all = append(all, signature.Judge(found.Root, found.Images, o.Keys, cmp.Or(o.Scope, signature.All))...)
		}
	}
	if o.Run {
		var failed []inspect.Finding
		runner := build.Runner{Options: e.buildOptions(), TrialOptions: o.Trial}
		if p.Runs, failed, err = o.Command.Run(ctx, runner, r); err != nil {
			return p, nil, err
		}
		all = append(all, failed...)
	}
	return p, all, nil
}

// readStatements reads the attestations of every image, and compares the provenance with the image if o says so.
func readStatements(
	ctx context.Context, r inspect.Report, o ProofOptions,
) (read [][]provenance.Statement, findings []inspect.Finding) {
	var kinds []provenance.Kind
	if o.Provenance || o.ReadProvenance {
		kinds = append(kinds, provenance.Provenance)
	}
	if o.ReadSBOM {
		kinds = append(kinds, provenance.SBOM)
	}
	judge := provenance.Unread
	if o.Provenance {
		judge = provenance.Judge
	}
	for _, img := range r.Images {
		statements := provenance.Read(ctx, img, kinds...)
		read = append(read, statements)
		findings = append(findings, judge(img, statements)...)
	}
	return read, findings
}
