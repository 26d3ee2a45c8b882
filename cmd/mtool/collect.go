package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// collectLate lets the heap grow to 16 MiB, four times what the runtime would, before the first garbage collection. Most
// commands end before that, and save a tenth of their processor time; the others go on as usual. $GOGC has its say.
func collectLate() {
	if os.Getenv("GOGC") != "" {
		return
	}
	usual := debug.SetGCPercent(400)                                                            // of 4 MiB, the least heap
	runtime.AddCleanup(new([64]byte), func(percent int) { debug.SetGCPercent(percent) }, usual) // runs after the first collection
}
