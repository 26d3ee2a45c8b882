package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadmeChinese checks that README.zh-CN.md has as many sections as README.md, and the same commands with the same
// output. Comments are translated; subsections (###) may differ.
func TestReadmeChinese(t *testing.T) {
	t.Parallel()
	english, chinese := readme(t), document(t, "README.zh-CN.md")
	for _, wrong := range outOfStep(english, chinese) {
		t.Error(wrong)
	}
	for name, liar := range map[string]string{
		"a missing section": strings.Replace(chinese, "\n## ", "\n### ", 1),
		"another command":   strings.Replace(chinese, "mtool push hello:v1", "mtool push hallo:v1", 1),
		"a missing block":   strings.Replace(chinese, "```console", "```text", 1),
	} {
		if len(outOfStep(english, liar)) == 0 {
			t.Errorf("%s passes", name)
		}
	}
}

func outOfStep(english, chinese string) (wrong []string) {
	if e, c := strings.Count(english, "\n## "), strings.Count(chinese, "\n## "); e != c {
		wrong = append(wrong, "README.zh-CN.md has another number of sections")
	}
	theirs := shellBlocks(chinese)
	for _, block := range shellBlocks(english) {
		n := slices.Index(theirs, block)
		if n < 0 {
			wrong = append(wrong, "README.zh-CN.md does not have, in this order:\n"+block)
			continue
		}
		theirs = theirs[n+1:]
	}
	return wrong
}

// shellBlocks returns the commands of a document and their output, without comments.
func shellBlocks(text string) (blocks []string) {
	comment := regexp.MustCompile(`(?m) +# .*$`)
	for _, block := range regexp.MustCompile("(?s)```(?:sh|console)\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, comment.ReplaceAllString(block[1], ""))
	}
	return blocks
}
