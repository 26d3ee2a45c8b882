package cli

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry"
)

// imageFlags are those of commands that change images where they are.
type imageFlags struct {
	publishFlags
	to string
}

func (f *imageFlags) add(fl *pflag.FlagSet, o *app.ImageOptions) {
	fl.StringVarP(&f.to, "tag", "t", "", "write the result to this `NAME` and keep the original")
	fl.BoolVar(&o.Published, "published", false, "change it in its registry, not on this machine")
	fl.BoolVar(&o.Force, "force", false, "write even if a claim is wrong")
	f.addEdit(fl)
	addDeep(fl, &f.DeepOptions)
}

// options reads the name and the flags.
func (f *imageFlags) options(name string, o *app.ImageOptions) (err error) {
	if o.Name, err = registry.ParseRef(name); err != nil {
		return badInput(err)
	}
	o.PublishOptions = f.PublishOptions
	if f.to == "" {
		return nil
	}
	if o.To, err = registry.ParseRef(f.to); err != nil {
		return badInput(err)
	}
	return nil
}

// setFlags are the values of the flags of set that are read by hand.
type setFlags struct {
	labels                             []string
	entrypoint, cmd                    string
	user, workdir, stopSignal, created string
	platform                           string
}

func (a *application) setCommand() *cobra.Command {
	var o app.SetOptions
	var f imageFlags
	var s setFlags
	cmd := &cobra.Command{
		Use:   "set NAME [ENTRY]",
		Short: "Change the config of images: labels, variables, command, user, ports",
		Long: `Change the config of every image of a list, of one entry (a platform, a digest or a source), or of a single image. Layers
stay as they are. Each changed image has a new digest; attestations, signatures and referrers of the old one do not carry over.

NAME is a draft, an image or list in the local store or in an OCI layout, or with --published in its registry. The result takes
its place, or with -t another name. Only the config changes: "inspect --deep" still finds out what the binaries are.`,
		Example: `  mtool set demo:v1 --label org.opencontainers.image.version=1.4.2
  mtool set demo:v1 linux/arm64 --env TUNE=a72 --unset-env DEBUG
  mtool set --published r.example.com/demo:v1 --cmd 'app --verbose'`,
		Args: oneOrTwo("mtool set NAME [ENTRY] --label KEY=VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.options(args[0], &o.ImageOptions); err != nil {
				return err
			}
			if len(args) == 2 {
				o.Entry = args[1]
			}
			if err := s.read(cmd.Flags(), &o.Edit); err != nil {
				return err
			}
			return a.done(f.publishFlags, func(env *app.Env) (publish.Done, error) { return env.Set(cmd.Context(), o) })
		},
	}
	f.add(cmd.Flags(), &o.ImageOptions)
	s.add(cmd.Flags(), &o.Edit)
	return cmd
}

func (s *setFlags) add(fl *pflag.FlagSet, d *compose.ConfigEdit) {
	fl.StringArrayVar(&s.labels, "label", nil, "set a label, `KEY=VALUE`")
	fl.StringArrayVar(&d.UnsetLabels, "unset-label", nil, "remove the label `KEY`")
	fl.StringArrayVar(&d.Env, "env", nil, "set an environment variable, `KEY=VALUE`")
	fl.StringArrayVar(&d.UnsetEnv, "unset-env", nil, "remove the environment variable `KEY`")
	fl.StringVar(&s.entrypoint, "entrypoint", "",
		"entrypoint, a `COMMAND` ('app --flag') or a JSON array; empty removes it")
	fl.StringVar(&s.cmd, "cmd", "", "default `COMMAND` or arguments of the entrypoint; empty removes it")
	fl.StringVar(&s.user, "user", "", "`USER` or UID[:GID] that runs it; empty removes it")
	fl.StringVar(&s.workdir, "workdir", "", "working `DIR`; empty removes it")
	fl.StringVar(&s.stopSignal, "stop-signal", "", "`SIGNAL` that stops it; empty removes it")
	fl.StringArrayVar(&d.Ports, "port", nil, "expose `PORT[/PROTOCOL]`")
	fl.StringArrayVar(&d.UnsetPorts, "unset-port", nil, "do not expose `PORT[/PROTOCOL]`")
	fl.StringArrayVar(&d.Volumes, "volume", nil, "declare a volume at `DIR`")
	fl.StringArrayVar(&d.UnsetVolumes, "unset-volume", nil, "do not declare a volume at `DIR`")
	fl.StringVar(&s.created, "created", "", "`DATE` of creation: RFC 3339, or seconds since 1970")
	fl.StringVar(&s.platform, "platform", "", "`PLATFORM` in the config and in the entry")
	for _, name := range []string{"entrypoint", "cmd", "user", "workdir", "stop-signal"} {
		mayBeEmpty(fl, name, "takes away what the image has")
	}
}

// read puts the flags that are given into the edit.
func (s *setFlags) read(fl *pflag.FlagSet, d *compose.ConfigEdit) (err error) {
	if err := twice("--label", s.labels); err != nil {
		return err
	}
	if d.Labels, err = parsePairs("--label", s.labels); err != nil {
		return err
	}
	for _, one := range []struct {
		flag, text string
		into       **[]string
	}{{"entrypoint", s.entrypoint, &d.Entrypoint}, {"cmd", s.cmd, &d.Cmd}} {
		if !fl.Changed(one.flag) {
			continue
		}
		words, err := execForm("--"+one.flag, one.text)
		if err != nil {
			return err
		}
		*one.into = &words
	}
	for _, one := range []struct {
		flag string
		text *string
		into **string
	}{{"user", &s.user, &d.User}, {"workdir", &s.workdir, &d.WorkingDir}, {"stop-signal", &s.stopSignal, &d.StopSignal}} {
		if fl.Changed(one.flag) {
			*one.into = one.text
		}
	}
	if s.created != "" {
		t, err := parseTime(s.created)
		if err != nil {
			return err
		}
		d.Created = &t
	}
	if s.platform != "" {
		p, err := parsePlatform(s.platform)
		if err != nil {
			return err
		}
		d.Platform = &p
	}
	return nil
}

// twice refuses a key that is given two values.
func twice(flag string, pairs []string) error {
	seen := map[string]bool{}
	for _, pair := range pairs {
		key, _, _ := strings.Cut(pair, "=")
		if seen[key] {
			return usagef("", "%s %s is given twice", flag, key)
		}
		seen[key] = true
	}
	return nil
}

// execForm reads a command as a JSON array, or as words.
func execForm(flag, text string) ([]string, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return splitCommand(flag, text)
	}
	var words []string
	if err := json.Unmarshal([]byte(text), &words); err != nil {
		return nil, usagef(flag+` '["app","one argument"]'`, "%s: %q is not a JSON array of strings", flag, text)
	}
	return words, nil
}

func parseTime(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, usagef("--created 2026-01-31T12:00:00Z", "--created %q is not a time", text)
	}
	return t, nil
}
