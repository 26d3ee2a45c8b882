package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// scannerHost serves the scanner. Its address is in the provenance of the images, so it is the same for each release.
// It is one of this machine (RFC 6890) that hardly anything else listens at.
const scannerHost = "127.83.66.77:5000"

// serveScanner makes the image that makes SBOMs, and serves it until stop is called: BuildKit pulls it from a registry.
func (r *release) serveScanner(ctx context.Context, dir string) (stop func(), err error) {
	if err := r.compile(ctx, target{}, filepath.Join(dir, "scanner"), "./cmd/internal/release"); err != nil {
		return nil, err
	}
	const image = "mtool-scanner:v1"
	_, err = r.output(ctx, nil, r.mtool, "build", "--target", "scanner", "-t", image, "--progress", "quiet",
		"--source-date-epoch", fmt.Sprint(r.at.Unix()), dir)
	if err != nil {
		return nil, err
	}
	cmd := r.command(ctx, r.mtool, "serve", "--listen", scannerHost)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	stop = func() { _, _ = cmd.Process.Signal(os.Interrupt), cmd.Wait() }
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil { // it prints its address when it listens
		stop()
		return nil, fmt.Errorf("starting mtool serve: %w", err)
	}
	r.scanner = scannerHost + "/" + image
	return stop, nil
}

// scan runs in the scanner's image. It writes the SBOM of the image of mtool at $BUILDKIT_SCAN_SOURCE. BuildKit's
// protocol: https://github.com/moby/buildkit/blob/master/docs/attestations/sbom-protocol.md.
func scan() error {
	root := os.Getenv("BUILDKIT_SCAN_SOURCE")
	doc, err := imageSBOM(root)
	if err != nil {
		return fmt.Errorf("scanning %q: %w", root, err)
	}
	f, err := os.Create(filepath.Join(os.Getenv("BUILDKIT_SCAN_DESTINATION"), filepath.Base(root)+".spdx.json"))
	if err != nil {
		return err
	}
	return errors.Join(writeJSON(f, map[string]any{
		"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document", "predicate": doc,
	}), f.Close())
}

// imageSBOM lists the contents of an image: mtool and its modules, the certificates, and Debian's packages.
func imageSBOM(root string) (spdx, error) {
	program := filepath.Join(root, "usr/bin/mtool")
	at, err := commitTime(program)
	if err != nil {
		return spdx{}, err
	}
	doc, err := programSBOM(program, at)
	if err != nil {
		return spdx{}, err
	}
	roots, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
	if err != nil {
		return spdx{}, err
	}
	doc.Name += "-image"
	doc.DocumentNamespace += "-image"
	doc.add("SPDXRef-DOCUMENT", "DESCRIBES", "ca-certificates", "", "pkg:generic/ca-certificates")
	doc.Packages[len(doc.Packages)-1].Checksums = []spdxChecksum{{"SHA256", fmt.Sprintf("%x", sha256.Sum256(roots))}}
	return doc, doc.addDebian(filepath.Join(root, "var/lib/dpkg/status.d"))
}

// commitTime returns the time of the commit that a program was compiled from.
func commitTime(path string) (at time.Time, err error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return at, err
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			return time.Parse(time.RFC3339, s.Value)
		}
	}
	return at, fmt.Errorf("%q does not say which commit it was compiled from", path)
}

// addDebian adds the packages whose control files are in dir. Without the folder there are none.
func (d *spdx) addDebian(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		body, readErr := os.ReadFile(filepath.Join(dir, e.Name()))
		if readErr != nil {
			return readErr
		}
		f := fields(bytes.NewReader(body))
		if f["Package"] == "" || f["Version"] == "" {
			return fmt.Errorf("%q has no package and version", filepath.Join(dir, e.Name()))
		}
		at := "pkg:deb/debian/" + f["Package"] + "@" + url.QueryEscape(f["Version"]) + "?arch=" + f["Architecture"]
		d.add("SPDXRef-DOCUMENT", "DESCRIBES", f["Package"], f["Version"], at)
	}
	return err
}

// fields returns the fields of a control file that fit on one line.
func fields(r io.Reader) map[string]string {
	found := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ": "); ok && !strings.HasPrefix(key, " ") {
			found[key] = value
		}
	}
	return found
}
