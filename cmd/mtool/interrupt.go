package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// interrupted is the exit code of a process that was ended by the user, whatever it would have come to.
const interrupted = 130

// interruptible is a context that ends with the first SIGINT or SIGTERM. The second one ends the process at once,
// whatever it waits for: what it was about to write stays unwritten, as after SIGKILL, and its worker ends with it.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	restore := terminal()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		restore()
		os.Exit(interrupted)
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}

// terminal is how the terminal is brought to what it is now: prompts and progress change it for a while.
func terminal() (restore func()) {
	in, out := int(os.Stdin.Fd()), int(os.Stderr.Fd())
	state, err := term.GetState(in)
	return func() {
		if err == nil {
			_ = term.Restore(in, state)
		}
		if term.IsTerminal(out) {
			_, _ = os.Stderr.WriteString("\x1b[?25h\n") // the cursor
		}
	}
}
