// Command tool makes and removes files in an image.
package main

import (
	"log"
	"os"
)

func main() {
	check := func(errs ...error) {
		for _, err := range errs {
			if err != nil {
				log.Fatal(err)
			}
		}
	}
	if os.Args[1] == "remove" {
		check(os.RemoveAll("/made/gone"), os.Remove("/made/file"), os.Mkdir("/made/file", 0o711), os.WriteFile("/made/file/in", []byte("new"), 0o600))
		return
	}
	check(os.MkdirAll("/made/gone/deep", 0o755), os.WriteFile("/made/gone/deep/file", nil, 0o644))
	check(os.WriteFile("/made/file", []byte("old"), 0o644), os.Link("/made/file", "/made/hard"))
	check(os.Symlink("/nowhere", "/made/dangling"), os.Symlink("file", "/made/link"), os.Lchown("/made/link", 33, 34))
	check(os.WriteFile("/made/setuid", []byte("x"), 0o755), os.Chown("/made/setuid", 1000, 1000), os.Chmod("/made/setuid", 0o755|os.ModeSetuid))
	check(os.Mkdir("/made/shared", 0o755), os.Chown("/made/shared", 65534, 65534), os.Chmod("/made/shared", 0o775|os.ModeSetgid))
	check(os.Mkdir("/made/sticky", 0o755), os.Chmod("/made/sticky", 0o777|os.ModeSticky))
}
