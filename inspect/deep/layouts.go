package deep

import (
	"strings"

	"mtool/inspect/binary"
)

// layoutOf guesses the package of a file from the directory layouts of package managers; nil: it matches none.
func layoutOf(name string) *pkg {
	parts := strings.Split(name, "/")
	for i := len(parts) - 2; i >= 0; i-- {
		if k := layoutAt(parts, i); k != nil {
			k.name += " (" + k.manager + ")"
			k.layout = true
			return k
		}
	}
	return terraform(parts)
}

// layoutAt returns the package of a path if its part i is a directory of a package manager.
func layoutAt(parts []string, i int) *pkg {
	part, rest := parts[i], parts[i+1:len(parts)-1]
	to := func(n int) string { return strings.Join(parts[:i+1+n], "/") }
	switch {
	case part == "prebuilds" && i > 0:
		return &pkg{name: parts[i-1], manager: "npm", root: to(-1)}
	case part == "runtimes" && len(rest) == 2 && rest[1] == "native" && i > 0:
		return &pkg{name: parts[i-1], manager: "NuGet", root: to(0), shared: true}
	case len(rest) == 0:
		return nil
	case strings.HasSuffix(part, ".runfiles"):
		return &pkg{name: strings.TrimSuffix(part, ".runfiles"), manager: "Bazel", root: to(1)}
	case to(0) == "nix/store":
		_, name, _ := strings.Cut(rest[0], "-")
		return &pkg{name: name, manager: "Nix", root: to(1), neutral: true}
	}
	manager, name, n := installedIn(part, rest)
	if manager == "" {
		return nil
	}
	return &pkg{name: name, manager: manager, root: to(n)}
}

// installedIn returns which package manager installs in a directory, the package of the path below it, and how many
// parts of that path are the package's own directory. The manager is "" if there is none.
func installedIn(directory string, rest []string) (manager, name string, n int) {
	switch directory {
	case "node_modules":
		switch {
		case rest[0] == ".bin", rest[0] == ".pnpm":
			return "", "", 0
		case strings.HasPrefix(rest[0], "@") && len(rest) > 1:
			return "npm", rest[0] + "/" + rest[1], 2
		}
		return "npm", rest[0], 1
	case "site-packages", "dist-packages":
		return "Python", rest[0], 1
	case "gems":
		if strings.Contains(rest[0], "-") {
			return "gem", rest[0], 1
		}
	case "extensions": // compiled gems: extensions/x86_64-linux/3.1.0/NAME
		const named = 3
		if len(rest) >= named && len(binary.NamedIn(rest[0])) > 0 {
			return "gem", rest[named-1], named
		}
	case "jvm":
		return "JDK", rest[0], 1
	}
	return "", "", 0
}

// terraform recognises providers: HOST/NAMESPACE/NAME/VERSION/OS_ARCH/terraform-provider-NAME.
// https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
func terraform(parts []string) *pkg {
	const mirror = 6
	n := len(parts)
	file := parts[n-1]
	if !strings.HasPrefix(file, "terraform-provider-") {
		return nil
	}
	k := &pkg{name: file + " (Terraform)", manager: "Terraform", root: strings.Join(parts, "/"), layout: true}
	if n >= mirror && strings.Contains(parts[n-mirror], ".") && len(binary.NamedIn(parts[n-2])) > 0 {
		k.name = parts[n-5] + "/" + parts[n-4] + " " + parts[n-3] + " (Terraform)"
		k.root = strings.Join(parts[:n-2], "/")
	}
	return k
}
