package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"mtool/cmd/internal/print/manual"
)

// Every command, topic and heading has a line in Chinese, and no line is unused.
func TestChinese(t *testing.T) {
	t.Parallel()
	a, commands := everyCommand(t)
	lines := chineseLines()
	used := map[string]bool{}
	need := func(key string) {
		used[key] = true
		if !speaksChinese(lines[key]) {
			t.Errorf("zh/lines.txt has no %q", key)
		}
	}
	for _, cmd := range commands {
		need(cmd.CommandPath())
		p := a.page(cmd)
		for _, g := range slices.Concat(p.Commands, p.Flags) {
			need(g.Title)
		}
		for _, line := range append(p.Foot, p.Rest) {
			need(line[:strings.LastIndex(line, ": ")+1])
		}
	}
	for _, topic := range a.topics() {
		need(topic.name)
	}
	for _, g := range flagGroups(a.flags) {
		need(g.Title)
	}
	for _, word := range []string{otherFlags, words().Usage, words().Examples, words().Description} {
		need(word)
	}
	for key := range lines {
		if !used[key] {
			t.Errorf("zh/lines.txt: unused line %q", key)
		}
	}
}

// The Chinese help fits the same screen as the English one.
func TestChineseFits(t *testing.T) {
	t.Parallel()
	a, commands := everyCommand(t)
	a.lang = "zh"
	for _, cmd := range commands {
		page := a.page(cmd).Screen(80, helpRows)
		if !speaksChinese(page[0]) {
			t.Errorf("%s begins with %q", cmd.CommandPath(), page[0])
		}
		for _, wrong := range misfits(page, helpRows) {
			t.Errorf("%s: %s", cmd.CommandPath(), wrong)
		}
	}
	for _, topic := range a.topics() {
		if !topic.file {
			for _, wrong := range misfits(manual.Wrap(a.topicText(topic), 80), 1000) {
				t.Errorf("%s: %s", topic.name, wrong)
			}
		}
	}
}

// A translated text has the same sections and the same code as the English one.
func TestChineseSaysTheSame(t *testing.T) {
	t.Parallel()
	a, commands := everyCommand(t)
	a.lang = "zh"
	translated := 0
	for _, topic := range a.topics() {
		text := a.topicText(topic)
		if text == topic.text() {
			continue
		}
		translated++
		if got, want := skeleton(text), skeleton(topic.text()); !slices.Equal(got, want) {
			t.Errorf("%s: the Chinese text has\n%q\nwant\n%q", topic.name, got, want)
		}
	}
	if translated != 4 {
		t.Errorf("%d topics are translated", translated)
	}
	for _, cmd := range commands {
		if body := a.text(cmd.Name(), ""); cmd.Name() == "workers" && len(skeleton(body)) != len(skeleton(cmd.Long)) {
			t.Errorf("workers has other paragraphs: %q", skeleton(body))
		}
	}
	for liar, twin := range map[string]string{"Title\n\n  code x\n": "题目\n\n  code y\n", "Title\n\ntext.\n": "正文。\n"} {
		if slices.Equal(skeleton(liar), skeleton(twin)) {
			t.Errorf("%q passes for %q", twin, liar)
		}
	}
	if got, want := skeleton("题目\n\n正文，\n正文。\n\n  code  含义\n"),
		skeleton("Title\n\nSome text.\n\n  code  meaning\n"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// skeleton returns what a translation must keep: paragraphs, lines of code and table rows, in order.
func skeleton(text string) []string {
	var kept []string
	gap := regexp.MustCompile(`\S {2,}\S`)
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		first := strings.TrimLeft(part, "\n")
		if first[0] != ' ' && !gap.MatchString(first) {
			kept = append(kept, "paragraph")
			continue
		}
		for line := range strings.SplitSeq(first, "\n") {
			term := line
			if n := gap.FindStringIndex(line); n != nil {
				term = "row"
			} else if len(line)-len(strings.TrimLeft(line, " ")) > 6 {
				continue // the second line of a row
			}
			kept = append(kept, term)
		}
	}
	return kept
}

func speaksChinese(s string) bool { return regexp.MustCompile(`\p{Han}`).MatchString(s) }

func TestSystemLanguage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  map[string]string
		want language
	}{
		"nothing":                    {nil, "en"},
		"LANG":                       {map[string]string{"LANG": "zh_CN.UTF-8"}, "zh"},
		"Taiwan":                     {map[string]string{"LANG": "zh_TW"}, "zh"},
		"LC_MESSAGES wins over LANG": {map[string]string{"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "C.UTF-8"}, "en"},
		"LC_ALL wins over all":       {map[string]string{"LANG": "de_DE", "LC_MESSAGES": "C", "LC_ALL": "zh_CN"}, "zh"},
		"another language with zh":   {map[string]string{"LANG": "de_CH.zh"}, "en"},
	} {
		if got := systemLanguage(func(key string) string { return test.env[key] }); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
