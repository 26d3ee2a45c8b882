package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/registry/remote"
)

// application is what the commands of one process share.
type application struct {
	In       io.Reader
	Out, Err *print.Out // the doors of standard output and standard error
	transportFlags
	flags *pflag.FlagSet // those of every command
	lang  language       // of help
	quiet bool
	whole bool     // digests are not shortened
	ends  []func() // closes what is open at the end of the command
	progressFlags
	verboseFlags
}

func newApp(std Stdio) *application {
	return &application{
		In: std.In, Out: print.NewOut(std.Out), Err: print.NewOut(std.Err),
		transportFlags: transportFlags{overdue: make(chan error, 1)},
	}
}

// Run executes a command line (without the program's name) and returns the exit code. A panic is answered with code 1
// and one line that asks to report it.
func Run(ctx context.Context, args []string, std Stdio) (code int) {
	a := newApp(std)
	defer func() {
		if p := recover(); p != nil {
			print.Println(a.Err,
				fmt.Sprintf(
					"mtool: internal error: %v (version %s); please report it with the command line: this is a defect of mtool", p,
					version()))
			code = exitFailed
		}
	}()
	args, env := pluginArgs(args)
	for name, value := range env {
		_ = os.Setenv(name, value) // of these names none fails
	}
	root := a.root()
	root.SetArgs(args)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		a.complete(root) // only then: cobra keeps completions of flags for ever
	}
	err := a.judge(a.execute(ctx, root))
	a.board.Close()
	if e := a.Out.Close(); e != nil {
		err = errors.Join(err, fmt.Errorf("writing standard output: %w", e))
	}
	for _, f := range a.ends {
		go f() // matters only for several commands in one process; this process may end first
	}
	if err != nil && ctx.Err() != nil {
		err = context.Canceled
	}
	if err != nil {
		a.tellError(err)
	}
	a.endLog(exitCode(err))
	_ = a.Err.Close() // there is no other place to tell
	return exitCode(err)
}

// execute runs the command, until it ends or is overdue. What is overdue hangs where no context ends it, such as in
// opening a file that never opens: it is left there, since the process ends.
func (a *application) execute(ctx context.Context, root *cobra.Command) error {
	type outcome struct {
		err      error
		panicked any
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() { done <- o }()
		defer func() { o.panicked = recover() }()
		o.err = root.ExecuteContext(ctx)
	}()
	select {
	case o := <-done:
		if o.panicked != nil {
			panic(o.panicked)
		}
		return o.err
	case err := <-a.overdue:
		return err
	}
}

const rootLong = `mtool builds one image per architecture, merges images into a manifest list that serves every architecture under
one tag, publishes the list, and proves that every entry is what it claims to be.

  mtool build --arch arm64 -t demo:v1-arm64 .
  mtool create demo:v1 --amend demo:v1-amd64 --amend demo:v1-arm64
  mtool push demo:v1 registry.example.com/demo:v1
  mtool inspect --require linux/amd64,linux/arm64 registry.example.com/demo:v1

Data goes to standard output, everything else to standard error.`

func (a *application) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "mtool",
		Short:         "Build, merge, publish and verify multi-architecture images",
		Long:          rootLong,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.verbose > 0 { // what -v alone means in docker
				print.Println(a.Out, "mtool "+version())
				return nil
			}
			return cmd.Help()
		},
	}
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetIn(a.In)
	root.SetVersionTemplate("mtool {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	a.flags = flags
	a.add(flags)
	a.lang = systemLanguage(os.Getenv)
	flags.Var(&a.lang, "lang", "language of help: `en|zh`\nby default that of LC_ALL, LC_MESSAGES or LANG")
	flags.Lookup("lang").DefValue = "" // it is not the same everywhere
	a.addProgress(flags)
	a.addVerbose(flags)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		a.Out.Whole, a.Err.Whole = a.whole, a.whole
		a.limit(cmd)
		if err := a.beginLog(cmd); err != nil {
			return err
		}
		return a.watch(cmd)
	}
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "say nothing on standard error but errors")
	root.SetHelpCommand(a.helpCommand())
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.showHelp(cmd, false) })
	root.AddCommand(a.commands()...)
	for _, t := range a.topics() {
		root.AddCommand(a.topicCommand(t))
	}
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" { // cobra's answers an unknown shell with help and exit code 0
			c.Args, c.RunE = unknownCommand, func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
	requireStated(root)
	if a.lang == "zh" {
		translateShorts(root)
	}
	return root
}

// unknownCommand answers what is not a command with the nearest one that is.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := answerTo(foreignCommands(), args[0])
	if near := suggestion(root, args[0]); hint == "" && near != "" {
		hint = root.CommandPath() + " " + near
	}
	return usagef(cmp.Or(hint, root.CommandPath()+" --help"), "unknown command %q", args[0])
}

// env makes the environment of package app; what it has to say goes to standard error unless --quiet.
func (a *application) env() (*app.Env, error) {
	o, err := a.options(a.flags)
	if err != nil {
		return nil, err
	}
	if o.Proxies, err = remote.ReadProxies(os.Getenv); err != nil {
		return nil, badInput(err)
	}
	o.Note, o.BuildNote, o.UserAgent = a.note, a.buildNote, "mtool/"+version()
	a.observe(&o)
	env, err := app.NewEnv(o)
	if err == nil {
		a.ends = append(a.ends, env.Client.Close)
	}
	return env, err
}

// atLeast demands n positional arguments; usage is the line to show.
func atLeast(n int, usage string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < n {
			return usagef(usage, "too few arguments: %d given, at least %d needed", len(args), n)
		}
		return nil
	}
}

func atMost(n int, usage string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usagef(usage, "too many arguments: %d given, at most %d taken", len(args), n)
		}
		return nil
	}
}

func oneOrTwo(usage string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < 1 || len(args) > 2 {
			return usagef(usage, "%d arguments given, 1 or 2 needed", len(args))
		}
		return nil
	}
}

func exactly(n int, usage string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef(usage, "wrong number of arguments: %d given, %d needed", len(args), n)
		}
		return nil
	}
}
