package app

import (
	"cmp"
	"context"

	"mtool/inspect/provenance"
	"mtool/inspect/signature"
)

// ProofOptions say what beyond claims and binaries is looked at. The zero value is nothing.
type ProofOptions struct {
	RunOptions
	SignatureOptions
	Provenance               bool // compare the provenance of every image with the image
	ReadProvenance, ReadSBOM bool // have their content in Proof
}

// SignatureOptions say whether signatures are looked for. The zero value looks for none.
type SignatureOptions struct {
	Signatures bool // look for them; without Keys that is all
	Keys       []signature.Key
	Scope      signature.Scope // what must be signed by one of Keys; "": all
}

// Proof is what was found of that.
type Proof struct {
	Runs       []Tried                  // of the images of the report, in order; nil when nothing was run
	Signatures *signature.Result        // nil when none were looked for
	Statements [][]provenance.Statement // of the images of the report, in order; nil when none were read
}

// addProof adds what is asked for, and the findings of it.
func (e *Env) addProof(ctx context.Context, one *Inspection, o InspectOptions) error {
	if o.Provenance || o.ReadProvenance || o.ReadSBOM {
		e.addProvenance(ctx, one, o)
	}
	if o.Signatures || len(o.Keys) > 0 {
		publisher := e.publisher()
		finder := signature.Finder{Open: publisher.Open, Referrers: publisher.ReferrersOf}
		found, err := finder.Find(ctx, one.Report, o.Keys)
		if err != nil {
			return err
		}
		one.Signatures = found
		if found.Verified {
			one.Findings = append(one.Findings,
				signature.Judge(found.Root, found.Images, o.Keys, cmp.Or(o.Scope, signature.All))...)
		}
	}
	if o.Run {
		tried, findings, err := e.run(ctx, one.Report, o.RunOptions)
		if err != nil {
			return err
		}
		one.Runs = tried
		one.Findings = append(one.Findings, findings...)
	}
	return nil
}

func (e *Env) addProvenance(ctx context.Context, one *Inspection, o InspectOptions) {
	var kinds []provenance.Kind
	if o.Provenance || o.ReadProvenance {
		kinds = append(kinds, provenance.Provenance)
	}
	if o.ReadSBOM {
		kinds = append(kinds, provenance.SBOM)
	}
	for _, img := range one.Report.Images {
		statements := provenance.Read(ctx, img, kinds...)
		one.Statements = append(one.Statements, statements)
		if !o.Provenance {
			one.Findings = append(one.Findings, provenance.Unread(img, statements)...)
			continue
		}
		one.Findings = append(one.Findings, provenance.Judge(img, statements)...)
	}
}
