package cli

import (
	"io"

	"mtool/cmd/internal/print"
)

const progressHelp = `Long tasks are shown on standard error; standard output has only the result. --progress MODE says how:

  auto    tty on a terminal, else plain; nothing about transfers of less than ten seconds
  tty     a line for each blob in flight and one for all: bytes, rate, time left. Nothing is silent for more than two seconds:
          tokens, retries, hashing and slow registries are named. TERM=dumb is no terminal
  plain   a line every ten seconds, and one at the end of each transfer
  json    one JSON object a line, every second and whenever a blob has ended
  quiet   nothing; --quiet leaves out notes as well

The bytes of a push are those that left: a proxy or a kernel may still hold some of them. No colours are used. Steps of
a build are shown by BuildKit, in the same modes (json: BuildKit's rawjson, until the build has ended).

With --progress json notes and errors are such objects too. Every object has time, level and msg:

  msg "progress"   all of a transfer: doing, bytes, total, bytesPerSecond, secondsLeft, and blobs: all, done, present (already
                   there), mounted, failed. What is not known is left out
  msg "blob"       one of them: doing, name (where to), digest, bytes, total, and state: moving, done, present, mounted, failed
  msg "waiting"    a wait: doing, name, seconds
  msg "done"       the end of a transfer, as "progress", and seconds
  level "ERROR"    what went wrong; hint is the next action, exit the exit code
  any other        a note

  mtool push demo:v1 registry.example.com/demo:v1 --progress json 2>&1 >digest |
    jq -r 'select(.msg=="progress") | .bytes'
`

func writeProgressHelp(w io.Writer) { print.Text(w, progressHelp) }

func writeDebugHelp(w io.Writer) { print.Text(w, debugHelp) }
