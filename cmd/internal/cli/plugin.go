package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/print"
)

// pluginWord is the argument with which docker calls every file docker-NAME in its plugin folders.
// https://github.com/docker/cli/blob/master/cli-plugins/metadata/metadata.go
const pluginWord = "docker-cli-plugin-metadata"

// pluginArgs takes off what docker puts in front of a plugin's arguments: its flags and the plugin's name, as in
// "docker --context arm mtool ls", which runs "docker-mtool --context arm mtool ls". The flags are returned as docker's
// variables. Flags that no variable stands for stay where they are, and are unknown.
func pluginArgs(args []string) (rest []string, env map[string]string) {
	if len(args) > 1 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		rest, env = pluginArgs(args[1:])
		return append([]string{args[0]}, rest...), env
	}
	env = map[string]string{}
	flags := pflag.NewFlagSet("docker", pflag.ContinueOnError)
	flags.SetInterspersed(false)
	flags.Usage = func() {}
	for name, variable := range map[string]string{
		"config": "DOCKER_CONFIG", "context": "DOCKER_CONTEXT",
		"host": "DOCKER_HOST",
	} {
		flags.FuncP(name, map[string]string{"context": "c", "host": "H"}[name], "", func(value string) error {
			env[variable] = value
			return nil
		})
	}
	tls, verify := flags.Bool("tls", false, ""), flags.Bool("tlsverify", false, "")
	flags.BoolP("debug", "D", false, "") // of docker's own messages
	flags.StringP("log-level", "l", "", "")
	if err := flags.Parse(args); err != nil || flags.Arg(0) != "mtool" {
		return args, nil
	}
	if *tls {
		env["DOCKER_TLS"] = "1"
	}
	if *verify {
		env["DOCKER_TLS_VERIFY"] = "1"
	}
	return flags.Args()[1:], env
}

func pluginCommand() *cobra.Command {
	return &cobra.Command{
		Use: pluginWord, Hidden: true, Args: exactly(0, pluginWord),
		RunE: func(cmd *cobra.Command, _ []string) error { return writePluginMetadata(cmd.OutOrStdout()) },
	}
}

func writePluginMetadata(w io.Writer) error {
	return print.JSON(w, map[string]string{
		"SchemaVersion":    "0.1.0",
		"Vendor":           "mtool",
		"Version":          version(),
		"ShortDescription": "Build, merge, publish and verify multi-architecture images",
	})
}
