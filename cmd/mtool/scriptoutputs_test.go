package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"image/color"
	"image/png"
	"io"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"mtool/cmd/internal/print"
	"mtool/cmd/internal/testparts"
)

// valid FILE: every JSON document in the file must match the schema that `mtool help json-schema` prints.
func cmdValid(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] valid FILE")
	}
	n, err := validDocuments([]byte(ts.ReadFile(args[0])))
	if n == 0 && err == nil {
		err = errors.New("there is no document")
	}
	if (err == nil) == neg {
		ts.Fatalf("%d documents, error %v (not: %v)", n, err, neg)
	}
}

func validDocuments(data []byte) (n int, err error) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(print.InspectSchema))
	if err != nil {
		return 0, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("inspect.json", schema); err != nil {
		return 0, err
	}
	compiled, err := c.Compile("inspect.json")
	if err != nil {
		return 0, err
	}
	for d := json.NewDecoder(bytes.NewReader(data)); ; n++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err == nil {
			err = compiled.Validate(value)
		}
		if err != nil {
			return n, err
		}
	}
}

// browse FILE [dark] [PICTURE]: opens a page in Chromium without a network, and prints its document as the browser
// reads it, or writes a screenshot to PICTURE.
func cmdBrowse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: browse FILE [dark] [PICTURE]")
	}
	var line []string
	picture := ""
	for _, word := range args[1:] {
		if word == "dark" {
			line = append(line, "--blink-settings=preferredColorScheme=0")
		} else {
			picture = ts.MkAbs(word)
		}
	}
	if picture != "" {
		line = append(line, "--screenshot="+picture)
	} else {
		line = append(line, "--dump-dom")
	}
	chromium(ts, append(line, "file://"+ts.MkAbs(args[0]))...)
}

func chromium(ts *testscript.TestScript, args ...string) {
	program, err := testparts.Browser()
	ts.Check(err)
	line := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--window-size=1280,1500",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + ts.MkAbs("chromium-profile"),
	}
	ts.Check(ts.Exec(program, append(line, args...)...))
}

// phone FILE…: Chromium lays the pages out 390 pixels wide. The title of standard output has the width that each takes.
func cmdPhone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: phone FILE…")
	}
	const widths = "Array.from(document.querySelectorAll('iframe'), f => f.contentDocument.documentElement.scrollWidth)"
	page := "<!doctype html><script>onload = () => { document.title = " + widths + " }</script>\n"
	for _, name := range args {
		page += fmt.Sprintf("<iframe style=\"width:390px;border:0\" srcdoc=\"%s\"></iframe>\n", html.EscapeString(ts.ReadFile(name)))
	}
	file := ts.MkAbs("phone.html")
	ts.Check(os.WriteFile(file, []byte(page), 0o644))
	chromium(ts, "--dump-dom", "file://"+file)
}

// picture FILE light|dark: the corner of the screenshot must be light or dark, and the rest not empty.
func cmdPicture(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] picture FILE light|dark")
	}
	file, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	picture, err := png.Decode(file)
	ts.Check(err)
	grey := func(x, y int) uint8 { return color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y }
	seen := map[uint8]bool{}
	for y := 0; y < picture.Bounds().Dy(); y += 2 {
		for x := 0; x < picture.Bounds().Dx(); x += 2 {
			seen[grey(x, y)] = true
		}
	}
	corner := "dark"
	if grey(2, 2) > 127 {
		corner = "light"
	}
	if good := corner == args[1] && len(seen) > 40; good == neg {
		ts.Fatalf("%v, corner %s, %d greys (not: %v)", picture.Bounds(), corner, len(seen), neg)
	}
}
