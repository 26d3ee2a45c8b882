package main

import (
	"context"
	"io"
	"log" //nolint:depguard // nothing is logged: what libraries would is silenced
	"os"
	"os/signal"
	"syscall"

	"mtool/build/worker"
	"mtool/cmd/internal/cli"
)

func main() {
	collectLate()
	worker.Main() // this process may be the worker of another mtool: then it never returns
	os.Exit(run())
}

func run() int {
	leaveNoCore()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log.SetOutput(io.Discard) // libraries' words to nobody: Go's HTTP/2 server tells there how a connection ended
	return cli.Run(ctx, os.Args[1:], cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
