package workload

import (
	"regexp"
	"strings"
)

// unrendered is what later says of a template that somebody forgot to render.
const unrendered = "template"

// later is why an image is not known before it runs; "" where it is, and unrendered for Helm's templates.
func (s spot) later(text string) string {
	switch {
	case strings.Contains(text, "{{") && (s.parameters && !helmWords().MatchString(text) || templateLine(text) == 0):
		return "its name is filled in when it runs"
	case strings.Contains(text, "{{"):
		return unrendered
	case strings.Contains(text, "$(") || strings.Contains(text, "${"):
		return "its name is filled in later"
	case text == "auto":
		return "Istio fills in the name" // https://istio.io/latest/docs/setup/additional-setup/gateway/
	case strings.HasPrefix(text, "ko://"):
		return "ko builds it"
	}
	return ""
}

// helmWords are the names by which a template is one of Helm.
func helmWords() *regexp.Regexp {
	return regexp.MustCompile(`\.Values\b|\.Release\b|\.Chart\b|\binclude\s+"|\btemplate\s+"`)
}

// argoWords are expressions that Argo fills in: https://argo-workflows.readthedocs.io/en/latest/variables/
func argoWords() *regexp.Regexp {
	return regexp.MustCompile(`\{\{\s*(=|(inputs|outputs|workflow|steps|tasks|pod|node|args|cronworkflow|retries|lastRetry|item)\b).*?\}\}`)
}

// templateLine is the first line that has {{ of Helm outside a comment; 0: none.
func templateLine(document string) int {
	if !strings.Contains(document, "{{") {
		return 0
	}
	argo, n := argoWords(), 0
	for line := range strings.Lines(document) {
		n++
		if strings.Contains(line, "{{") && !strings.HasPrefix(strings.TrimSpace(line), "#") && strings.Contains(argo.ReplaceAllString(line, ""), "{{") {
			return n
		}
	}
	return 0
}
