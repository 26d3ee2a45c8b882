// Package docker does with drafts what docker manifest does with its lists. Lists has a method for each command that
// changes or pushes one.
//
// What docker takes is taken, and noted: images may be listed as what their configs deny, and until a list is pushed
// two of its images may have one platform. The package prints nothing, and it has no commands and no flags.
package docker
