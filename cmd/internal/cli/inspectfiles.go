package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"mtool/cmd/internal/print"
	"mtool/inspect/workload"
)

// addWorkloads adds the flags that say which files name images, and where those are to run.
func (f *inspectFlags) addWorkloads(fl *pflag.FlagSet) {
	fl.StringArrayVarP(&f.Workloads.Files, "files", "f", nil,
		"check the images that this `FILE` names\nKubernetes or Compose; or all files of a folder and those in it; - is standard input (mtool help deploy)")
	fl.Var(&f.fields, "image-field",
		"objects of this kind name an image here too: `KIND=PATH`\nas in Database=spec.runtime.image")
	fl.Var(&f.accepted, "allow-unchecked", "images that this `PATTERN` covers may stay unchecked\n* is anything")
	fl.StringArrayVar(&f.Workloads.Env, "env", nil,
		"allow the files to use this variable: `NAME`\nof the environment, or NAME=VALUE")
	fl.StringArrayVar(&f.Workloads.EnvFile, "env-file", nil,
		"allow the files to use the variables in this `FILE`\nlines NAME=VALUE")
	fl.StringVar(&f.Workloads.Cluster, "cluster", "",
		"require the platforms of the nodes in this `FILE`\nwhich kubectl get nodes -o json printed; - is standard input")
}

// workloads checks those flags, and sets what they imply: what the images start is followed, in layers whose digests
// are compared, and all of an image is read where that can't be followed, unless a flag demands less; no image exempts
// itself.
func (f *inspectFlags) workloads(args []string) error {
	w := &f.Workloads
	inputs := 0
	for _, file := range append([]string{w.Cluster}, w.Files...) {
		switch {
		case strings.Contains(file, "{{"):
			return usagef("mtool inspect --format '"+file+"' REF", "-f takes a file; templates are given by --format")
		case file == "-":
			inputs++
		}
	}
	if inputs > 1 {
		return usagef("kubectl get nodes -o json >nodes.json; mtool inspect --cluster nodes.json -f -",
			"standard input can be read only once")
	}
	if len(w.Files) == 0 && len(f.fields)+len(f.accepted) > 0 {
		return usagef("mtool inspect -f FILE", "--image-field and --allow-unchecked need -f")
	}
	w.Fields, w.AllowUnchecked = f.fields, f.accepted
	if len(w.Files) == 0 && w.Cluster == "" {
		return nil
	}
	for _, name := range args {
		if info, err := os.Stat(name); err == nil && (info.IsDir() || workloadName(name)) {
			return usagef("mtool inspect -f "+strings.Join(append(w.Files, name), " -f "),
				"%s is a file, not an image: each takes its own -f", name)
		}
	}
	f.IgnoreLabels, f.WholeLayers, f.Follow = true, !f.EntrypointOnly, !f.EntrypointOnly
	f.EntrypointOnly = f.EntrypointOnly || !f.Deep
	f.Deep = true
	return nil
}

func workloadName(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".json")
}

// imageFields are the values of --image-field.
type imageFields []workload.Field

func (l *imageFields) Set(text string) error {
	field, err := workload.ParseField(text)
	*l = append(*l, field)
	return err
}

func (l *imageFields) Type() string { return listValue }

func (l *imageFields) String() string {
	words := make([]string, len(*l))
	for i, field := range *l {
		words[i] = field.String()
	}
	return strings.Join(words, " ")
}

// imagePatterns are the values of --allow-unchecked.
type imagePatterns []workload.Pattern

func (l *imagePatterns) Set(text string) error {
	pattern, err := workload.ParsePattern(text)
	*l = append(*l, pattern)
	return err
}

func (l *imagePatterns) Type() string { return listValue }

func (l *imagePatterns) String() string {
	words := make([]string, len(*l))
	for i, pattern := range *l {
		words[i] = string(pattern)
	}
	return strings.Join(words, " ")
}

// skippedFiles says which files of folders were not looked at; with --quiet, how many.
func (a *application) skippedFiles(files []string) {
	for _, file := range files {
		a.note("note: " + file + ": neither a Kubernetes object nor a Compose file: not checked")
	}
	if a.quiet {
		print.Println(a.Err,
			fmt.Sprintf("note: files that are neither Kubernetes objects nor Compose files, and not looked at: %d", len(files)))
	}
}
