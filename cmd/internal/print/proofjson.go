package print

import (
	"encoding/json"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/inspect/provenance"
	"mtool/inspect/signature"
)

// signatureJSON is one signature that is stored for a digest.
type signatureJSON struct {
	Kind          string          `json:"kind"`          // cosign, sigstore-bundle, notation
	Manifest      string          `json:"manifest"`      // digest of the manifest that holds it
	Tag           string          `json:"tag,omitempty"` // by which that was found; none for a referrer
	PredicateType string          `json:"predicateType,omitempty"`
	State         signature.State `json:"state"`            // verified, not-verified, other-key, wrong
	By            []string        `json:"by,omitempty"`     // the files of the keys that made it
	Reason        string          `json:"reason,omitempty"` // why it is not verified
}

// runJSON is what came of running the command of --run in an image. Without exitCode it did not run to its end.
type runJSON struct {
	Command      []string `json:"command"` // what was executed
	ExitCode     *int     `json:"exitCode,omitempty"`
	Emulator     string   `json:"emulator,omitempty"` // QEMU's name of the architecture; none: it ran natively
	Worker       string   `json:"worker,omitempty"`   // its address; none: the one inside mtool
	Stdout       string   `json:"stdout"`             // the first 64 KiB
	Stderr       string   `json:"stderr"`             // the first 64 KiB
	Truncated    bool     `json:"truncated,omitempty"`
	Milliseconds int64    `json:"milliseconds"`
	Error        string   `json:"error,omitempty"` // why there is no exit code
}

// statementJSON is an in-toto statement that is attached to an image.
type statementJSON struct {
	Digest        string               `json:"digest"` // of the statement
	PredicateType string               `json:"predicateType"`
	Subjects      []provenance.Subject `json:"subjects,omitempty"`
	// Builder, BuildType, BuilderPlatform and RequestedPlatforms are read from provenance of SLSA 0.2 and 1.
	Builder            string   `json:"builder,omitempty"`
	BuildType          string   `json:"buildType,omitempty"`
	BuilderPlatform    string   `json:"builderPlatform,omitempty"`
	RequestedPlatforms []string `json:"requestedPlatforms,omitempty"`
	Predicate          any      `json:"predicate,omitempty"` // what it says, as it is written
	Error              string   `json:"error,omitempty"`     // why there is nothing of the above
}

// addProof adds what was looked at beyond claims and binaries.
func (d *inspectDocument) addProof(s app.Inspection) {
	d.Digests = append(d.Digests, d.at(d.Digest))
	for _, row := range d.Platforms {
		if row.Digest != d.Digest {
			d.Digests = append(d.Digests, d.at(row.Digest))
		}
	}
	if s.Signatures != nil {
		d.addSignatures(*s.Signatures)
	}
	for i := range d.Platforms {
		row := &d.Platforms[i]
		if i < len(s.Runs) {
			row.Run = runOf(s.Runs[i])
		}
		if i < len(s.Statements) {
			row.Provenance = statement(s.Statements[i], provenance.Provenance)
			row.SBOM = statement(s.Statements[i], provenance.SBOM)
		}
	}
}

// at is a digest as cosign and scanners take it: with the repository where there is one.
func (d *inspectDocument) at(digest string) string {
	if d.Repository == "" {
		return digest
	}
	return d.Repository + "@" + digest
}

func (d *inspectDocument) addSignatures(s signature.Result) {
	unsigned := map[string]bool{}
	add := func(of signature.Subject) (*bool, []signatureJSON) {
		signed := of.Signed(s.Verified)
		unsigned[d.at(of.Manifest.Digest.String())] = !signed
		return &signed, signatures(of.Found)
	}
	d.Signed, d.Signatures = add(s.Root)
	for i, of := range s.Images {
		row := &d.Platforms[i]
		row.Signed, row.Signatures = add(of)
		for j := range row.Attestations {
			for digest, a := range s.Attestations {
				if digest.String() == row.Attestations[j].Digest {
					row.Attestations[j].Signatures = signatures(a.Found)
				}
			}
		}
	}
	for _, name := range d.Digests {
		if unsigned[name] {
			d.Unsigned = append(d.Unsigned, name)
		}
	}
}

func signatures(found []signature.Found) (all []signatureJSON) {
	for _, f := range found {
		s := signatureJSON{
			Kind: f.Kind, Manifest: digestString(f.Manifest), Tag: f.Tag, PredicateType: f.Predicate,
			State: f.State, By: f.By,
		}
		if f.Err != nil {
			s.Reason = f.Err.Error()
		}
		all = append(all, s)
	}
	return all
}

func runOf(t inspect.Tried) *runJSON {
	if t.Command == nil && t.Err == nil {
		return nil
	}
	r := &runJSON{
		Command: t.Command, Emulator: t.Emulator, Worker: t.Worker, Stdout: string(t.Stdout), Stderr: string(t.Stderr),
		Truncated:    t.Truncated,
		Milliseconds: t.Took.Milliseconds(),
	}
	if t.Err != nil {
		r.Error = t.Err.Error()
	} else {
		r.ExitCode = &t.Exit
	}
	return r
}

// statement is the first of its kind.
func statement(all []provenance.Statement, kind provenance.Kind) *statementJSON {
	for _, s := range all {
		if provenance.KindOf(s.Statement.Predicate) != kind {
			continue
		}
		j := &statementJSON{Digest: s.Blob.Digest.String(), PredicateType: s.Statement.Predicate, Subjects: s.Subjects}
		b, err := provenance.Build{}, s.Err
		if err == nil && kind == provenance.Provenance {
			b, err = s.Build()
		}
		if err == nil && len(s.Predicate) > 0 {
			err = json.Unmarshal(s.Predicate, &j.Predicate)
		}
		if err != nil {
			j.Error = err.Error()
		}
		j.Builder, j.BuildType, j.BuilderPlatform = b.Builder, b.Type, b.On
		j.RequestedPlatforms = platform.FormatAll(b.For)
		return j
	}
	return nil
}
