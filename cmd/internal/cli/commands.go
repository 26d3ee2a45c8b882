package cli

import "github.com/spf13/cobra"

// commands are all commands; cobra sorts them by name.
func (a *application) commands() []*cobra.Command {
	return []*cobra.Command{
		a.buildCommand(),
		a.bakeCommand(),
		a.createCommand(),
		a.amendCommand(),
		a.annotateCommand(),
		a.removeCommand(),
		a.setCommand(),
		a.rebaseCommand(),
		a.checkBaseCommand(),
		a.rebuildCommand(),
		a.pushCommand(),
		a.inspectCommand(),
		a.diffCommand(),
		a.resolveCommand(),
		a.renameCommand(),
		a.copyCommand(),
		a.loadCommand(),
		a.lsCommand(),
		a.rmCommand(),
		a.tagsCommand(),
		a.deleteCommand(),
		a.existsCommand(),
		a.versionCommand(),
		a.emulatorsCommand(),
		a.workersCommand(),
		a.pruneCommand(),
		a.duCommand(),
		a.serveCommand(),
		a.saveCommand(),
		a.loginCommand(),
		a.logoutCommand(),
		a.authCommand(),
		a.manifestCommand(),
		a.imagetoolsCommand(),
		a.podmanManifestCommand(),
		pluginCommand(),
		a.docsCommand(),
	}
}
