// Command app says what it was compiled for, to standard error and into /proof, and does what its arguments want.
package main

import (
	"os"
	"runtime"
	"time"
)

func main() {
	println("app runs as", runtime.GOARCH)
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "fail":
			for _, word := range os.Args[2:] {
				println(word)
			}
			os.Exit(7)
		case "who":
			println("uid", os.Getuid(), "gid", os.Getgid())
			return
		case "sleep":
			time.Sleep(time.Minute)
		}
	}
	if err := os.WriteFile("/proof", []byte(runtime.GOARCH), 0o644); err != nil {
		println(err.Error())
		os.Exit(1)
	}
}
