package print

import (
	"cmp"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/platform"
	"mtool/inspect/workload"
)

//go:embed page.html
var pageText string

// page is what the template is filled in with.
type page struct {
	OK       bool
	Verdict  string
	Basis    string
	Sections []section
	Unread   []string
	Maker    string // the program and its version
	At       string // when
}

// section is about one reference.
type section struct {
	ID, Name, Kind, Digest, Origin string
	OK                             bool
	Required                       []string
	Uses                           []workload.Use
	Rows                           []pageRow
	Columns                        []string // the platforms, for the layers
	Layers                         []pageLayer
	Findings                       []pageFinding
	Differences                    []differenceTable
	MoreDifferences                int // that are not in them
	Signatures                     []signatureRow
	Runs                           []runRow
	Ran                            string // what Runs prove
}

type pageRow struct {
	Platform, Digest, Size, Created, Base string
	ABI                                   string // of its programs, where that is known
	State                                 inspect.State
	Attestations                          int
}

type pageLayer struct {
	Digest, Size string
	Width        int // of its bar, in percent of the largest
	In           []bool
	Shared       bool
}

type pageFinding struct {
	Fails       bool
	State, Text string
}

// rank is higher for what fails, so that it stands first.
func (f pageFinding) rank() int {
	if f.Fails {
		return 1
	}
	return 0
}

// HTML prints one page that needs nothing else: the platforms of all references, the layers and which platforms share
// them, what was found, and at its foot by which version of the program, and when.
func HTML(w io.Writer, seen []app.Inspection, err error, version string, at time.Time) error {
	functions := template.FuncMap{"mark": pageMark, "short": shortDigest, "signedClass": signedClass, "class": stateClass}
	t, parseErr := template.New("page").Funcs(functions).Parse(pageText)
	if parseErr != nil {
		return fmt.Errorf("reading the page: %w", parseErr)
	}
	p := pageOf(seen, err)
	p.Maker, p.At = "mtool "+version, at.UTC().Format("2006-01-02 15:04 MST")
	return t.Execute(w, p)
}

func pageOf(seen []app.Inspection, err error) page {
	p := page{OK: true}
	for _, e := range Unread(err) {
		p.OK = false
		p.Unread = append(p.Unread, e.Error())
	}
	wrong := 0
	for i, s := range seen {
		p.Sections = append(p.Sections, sectionOf(i, s))
		if s.Err != nil {
			wrong++
			p.OK = false
		}
	}
	p.Verdict = verdict(seen, wrong, len(p.Unread))
	if len(seen) > 0 {
		p.Basis = lastLine(seen)
	}
	return p
}

// verdict is the heading. It says no more than was looked at.
func verdict(all []app.Inspection, wrong, unread int) string {
	seen, what := len(all), weakest(all)
	switch {
	case unread > 0:
		return fmt.Sprintf("%d of %d references could not be read", unread, seen+unread)
	case wrong > 0 && seen == 1:
		return "It is not what it should be"
	case wrong > 0:
		return fmt.Sprintf("%d of %d are not what they should be", wrong, seen)
	case what == "" && seen == 1:
		return "It is what it claims to be"
	case what == "":
		return fmt.Sprintf("All %d are what they claim to be", seen)
	case seen == 1:
		return "Claims agree; " + what
	}
	return fmt.Sprintf("Claims of all %d agree; %s", seen, what)
}

// weakest is what keeps a heading from saying that all is what it claims to be; "" where every image was read whole.
func weakest(all []app.Inspection) string {
	states := map[inspect.State]bool{}
	for _, s := range all {
		if s.Unread != "" {
			states[inspect.Unchecked] = true
		}
		for n := range s.Report.Images {
			states[s.State(n)] = true
		}
	}
	switch {
	case states[inspect.Unchecked]:
		return "not all was looked at"
	case states[inspect.ClaimsOK]:
		return "binaries were not read"
	case states[inspect.Partial]:
		return "of the binaries only what is started was read"
	case states[inspect.Unknown]:
		return "not every image has binaries"
	}
	return ""
}

func sectionOf(n int, s app.Inspection) section {
	r := s.Report
	sec := section{
		ID: fmt.Sprintf("ref%d", n+1), Name: s.Name(), Kind: mediaWords(r.Root.MediaType), Digest: r.Root.Digest.String(),
		Origin: origin(r.Ref), OK: s.Err == nil, Uses: s.Uses,
	}
	for _, p := range s.Required {
		sec.Required = append(sec.Required, platform.Format(p))
	}
	for i, img := range r.Images {
		sec.Columns = append(sec.Columns, dash(platformOf(img)))
		sec.Rows = append(sec.Rows, pageRow{
			Platform: dash(platformOf(img)), Digest: img.Descriptor.Digest.String(), Size: sizeOf(img), Created: created(img),
			Base: base(img), ABI: abiWords(s, i), State: s.State(i), Attestations: len(img.Attestations),
		})
	}
	sec.Layers = pageLayers(r)
	sec.Differences, sec.MoreDifferences = differenceTables(s)
	sec.Signatures, sec.Runs, sec.Ran = signatureRows(s), runRows(s), ranWords
	for _, f := range deep.SumsLast(deep.Summary(s.Findings)) {
		if app.Worth(f) {
			sec.Findings = append(sec.Findings, pageFinding{f.Fails(), string(f.State), placed(f)})
		}
	}
	slices.SortStableFunc(sec.Findings, func(a, b pageFinding) int { return cmp.Compare(b.rank(), a.rank()) })
	return sec
}

// pageLayers are the distinct layers, in the order of the images.
func pageLayers(r inspect.Report) (layers []pageLayer) {
	t := treeOf(r)
	seen := map[v1.Hash]bool{}
	for _, img := range r.Images {
		for _, l := range img.Layers {
			if seen[l.Digest] {
				continue
			}
			seen[l.Digest] = true
			row := pageLayer{
				Digest: l.Digest.String(), Size: inspect.Bytes(l.Size), Width: max(1, int(100*l.Size/t.largest)),
				In: make([]bool, len(r.Images)), Shared: len(t.having[l.Digest]) > 1,
			}
			for _, i := range t.having[l.Digest] {
				row.In[i] = true
			}
			layers = append(layers, row)
		}
	}
	return layers
}

// pageMark is a sign next to the word of a state, so that nothing depends on colour alone.
func pageMark(state any) string {
	switch inspect.State(fmt.Sprint(state)) {
	case inspect.Mismatch, inspect.Unchecked:
		return "✕"
	case inspect.Warning:
		return "!"
	case inspect.Note, inspect.Unknown:
		return "i"
	case inspect.ClaimsOK, inspect.BinariesOK, inspect.Partial:
	}
	return "✓"
}

// stateClass is the colour of a state.
func stateClass(state any) string {
	switch pageMark(state) {
	case "✕":
		return "bad"
	case "✓":
		return "good"
	}
	return "info"
}

// signedClass is the colour of a word of signatureRow.
func signedClass(signed string) string {
	switch signed {
	case signedYes:
		return "good"
	case signedNo:
		return "bad"
	}
	return "info"
}

// shortDigest shortens the text of a digest as inspect.Short does, and leaves other text as it is.
func shortDigest(text string) string {
	if digest, err := v1.NewHash(text); err == nil {
		return inspect.Short(digest)
	}
	return text
}
