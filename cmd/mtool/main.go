package main

import (
	"io"
	"log" //nolint:depguard // nothing is logged: what libraries would is silenced
	"os"

	"mtool/build/worker"
	"mtool/cmd/internal/cli"
)

func main() {
	worker.Main() // this process may be the worker of another mtool: then it never returns
	os.Exit(run())
}

func run() int {
	leaveNoCore()
	ctx, stop := interruptible()
	defer stop()
	log.SetOutput(io.Discard) // libraries' words to nobody: Go's HTTP/2 server tells there how a connection ended
	return cli.Run(ctx, os.Args[1:], cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
