package cli

import (
	"io"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/print"
)

// pluginWord is what docker asks of every file docker-NAME in its plugin folders.
// https://github.com/docker/cli/blob/master/cli-plugins/metadata/metadata.go
const pluginWord = "docker-cli-plugin-metadata"

// pluginArgs takes off the plugin's own name, which docker puts in front: "docker mtool ls" runs "docker-mtool mtool ls".
func pluginArgs(args []string) []string {
	if len(args) > 0 && args[0] == "mtool" {
		return args[1:]
	}
	return args
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
