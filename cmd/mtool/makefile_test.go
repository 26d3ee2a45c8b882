package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMakefile holds the Makefile's list of tests for make interop: each that needs more than make test has, and no other.
func TestMakefile(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"TestIntegration", "TestRootless"} // they choose by script
	for _, file := range files {
		if file == "makefile_test.go" {
			continue // it holds liars
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, needsMore(string(source))...)
	}
	slices.Sort(want)
	got := listed(string(makefile))
	for _, name := range got {
		if !slices.Contains(want, name) {
			t.Errorf("make interop runs %s, which make test runs too", name)
		}
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("neither make test nor make interop runs %s", name)
		}
	}
}

// listed are the names in the Makefile's PEERTESTS.
func listed(makefile string) []string {
	_, after, _ := strings.Cut(makefile, "\nPEERTESTS := ")
	list, _, _ := strings.Cut(strings.ReplaceAll(after, "\\\n", ""), "\n")
	return strings.Fields(list)
}

// needsMore are the tests that need a part that make test does without.
func needsMore(source string) (names []string) {
	const own = "testparts.QEMU testparts.Registry testparts.Unprivileged"
	for _, test := range regexp.MustCompile(`(?ms)^func (Test\w+)\(t \*testing\.T\) \{\n(.*?)^\}$`).FindAllStringSubmatch(source, -1) {
		for _, need := range regexp.MustCompile(`testparts\.Need\(t, (.*)\)`).FindAllStringSubmatch(test[2], -1) {
			more := slices.ContainsFunc(strings.Split(need[1], ", "), func(part string) bool { return !strings.Contains(own, part) })
			if more && !slices.Contains(names, test[1]) && test[1] != "TestDebootstrap" { // make long has what that takes
				names = append(names, test[1])
			}
		}
	}
	return names
}

func TestMakefileLiar(t *testing.T) {
	t.Parallel()
	const source = "func TestOne(t *testing.T) {\n\ttestparts.Need(t, testparts.QEMU)\n}\n\n" +
		"func TestTwo(t *testing.T) {\n\ttestparts.Need(t, testparts.QEMU, testparts.Crane)\n}\n"
	if got := needsMore(source); !slices.Equal(got, []string{"TestTwo"}) {
		t.Errorf("got %q, want TestTwo alone", got)
	}
	if got := listed("X := TestNo\nPEERTESTS := TestTwo TestThree \\\n\tTestFour\nY := TestNo\n"); !slices.Equal(got, []string{"TestTwo", "TestThree", "TestFour"}) {
		t.Errorf("got %q", got)
	}
}
