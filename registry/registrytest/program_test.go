package registrytest_test

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"strings"
	"testing"

	"mtool/registry/registrytest"
)

func TestProgram(t *testing.T) {
	t.Parallel()
	for arch, machine := range map[string]elf.Machine{
		"amd64": elf.EM_X86_64, "amd64v3": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "armv6": elf.EM_ARM, "386": elf.EM_386,
		"s390x": elf.EM_S390, "ppc64le": elf.EM_PPC64,
	} {
		const loader = "/lib/ld.so"
		f, err := elf.NewFile(bytes.NewReader(registrytest.Program(arch, loader)))
		if err != nil {
			t.Fatalf("%s: %v", arch, err)
		}
		if f.Machine != machine || f.Type != elf.ET_EXEC || len(f.Progs) != 1 {
			t.Errorf("%s: %v, %v, %d segments", arch, f.Machine, f.Type, len(f.Progs))
		}
		text, err := io.ReadAll(f.Progs[0].Open())
		if err != nil || f.Progs[0].Type != elf.PT_INTERP || string(text) != loader+"\x00" {
			t.Errorf("%s: the segment is %v, %q, %v", arch, f.Progs[0].Type, text, err)
		}
	}
	if f, err := elf.NewFile(bytes.NewReader(registrytest.SharedObject("arm64"))); err != nil || f.Type != elf.ET_DYN {
		t.Errorf("a shared object: %v", err)
	}
}

func TestLayerTar(t *testing.T) {
	t.Parallel()
	r := tar.NewReader(bytes.NewReader(registrytest.LayerTar(
		"elf bin/app arm64", "so lib/a.so arm64", "script run /bin/sh -e", "link bin/sh busybox", "hard bin/b bin/app",
		"gone etc/x", "opaque opt",
	)))
	var got []string
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(h.Typeflag)+h.Name+">"+h.Linkname)
	}
	want := "0bin/app> 0lib/a.so> 0run> 2bin/sh>busybox 1bin/b>bin/app 0etc/.wh.x> 0opt/.wh..wh..opq>"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}
