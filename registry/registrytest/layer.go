package registrytest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// LayerTar returns the tar of a layer. Each line describes one entry:
//
//	elf PATH ARCH [INTERP]   a program; ARCH as for ELF, or arm with a version, as armv6
//	odd PATH ARCH            a program without width, byte order and version, which Linux ignores
//	so PATH ARCH             a shared object, without an executable bit
//	object PATH ARCH         an unlinked object, without an executable bit
//	module PATH ARCH         a kernel module, recognisable by its content
//	efi PATH ARCH            an EFI application
//	needs PATH ARCH LIB DIRS a program that needs a library, with DIRS as its DT_RUNPATH
//	plugin PATH ARCH NAME    a Go plugin built from the package NAME
//	il PATH ARCH             .NET code without native code for 386; linux: compiled ahead for Linux and amd64
//	says PATH TEXT           a text; \n in TEXT starts a new line
//	pe PATH                  a program for Windows and amd64
//	macho PATH               a library for macOS and arm64
//	script PATH LINE         an executable text that begins with #!LINE; \n in LINE starts a new line
//	text PATH                an executable text
//	plain PATH               a text
//	empty PATH               an empty file
//	noise PATH KIB           an incompressible file of that many KiB
//	file PATH SOURCE         an executable copy of this machine's file SOURCE
//	dir PATH
//	link PATH TARGET         a symbolic link
//	hard PATH TARGET         a hard link
//	gone PATH                a whiteout
//	opaque PATH              an opaque whiteout of the directory
//	device PATH MAJOR MINOR  a character device
//	xattr PATH NAME VALUE    a directory with an extended attribute
//	global NAME KEY VALUE    a PAX global header, which has a name and is not a file
//
// Any other line is a bug in the test, and panics.
func LayerTar(lines ...string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, line := range lines {
		h, body := layerEntry(line)
		h.Size, h.Format = int64(len(body)), tar.FormatPAX
		must(w.WriteHeader(&h))
		_, err := w.Write(body)
		must(err)
	}
	must(w.Close())
	return b.Bytes()
}

func layerEntry(line string) (tar.Header, []byte) {
	word, rest, _ := strings.Cut(line, " ")
	path, rest, _ := strings.Cut(rest, " ")
	h := tar.Header{Name: path, Mode: 0o755, Typeflag: tar.TypeReg}
	switch word {
	case "elf":
		arch, interp, _ := strings.Cut(rest, " ")
		return h, Program(arch, interp)
	case "odd":
		program := Program(rest, "")
		clear(program[4:16])
		return h, program
	case "so":
		h.Mode = 0o644
		return h, SharedObject(rest)
	case "object":
		h.Mode = 0o644
		return h, Object(rest)
	case "module":
		h.Mode = 0o644
		return h, append(Object(rest), "\x00license=GPL\x00vermagic=6.1.0 SMP mod_unload\x00"...)
	case "efi":
		h.Mode = 0o644
		return h, bootProgram(rest)
	case "needs":
		words := strings.Fields(rest)
		return h, ProgramWithLibrary(words[0], words[1], words[2])
	case "plugin":
		arch, name, _ := strings.Cut(rest, " ")
		h.Mode = 0o644
		return h, GoPlugin(arch, name)
	case "il":
		return h, dotNet(rest == "linux")
	case "says":
		h.Mode = 0o644
		return h, []byte(strings.ReplaceAll(rest, `\n`, "\n"))
	case "pe":
		return h, windowsProgram()
	case "macho":
		return h, macLibrary()
	case "script":
		return h, fmt.Appendf(nil, "#!%s\n", strings.ReplaceAll(rest, `\n`, "\n"))
	case "text":
		return h, []byte("true\n")
	case "plain":
		h.Mode = 0o644
		return h, []byte("some text\n")
	case "empty":
		h.Mode = 0o644
		return h, nil
	case "noise":
		kib, err := strconv.Atoi(rest)
		must(err)
		return h, noise(path, 0, kib<<10)
	case "file":
		body, err := os.ReadFile(rest)
		must(err)
		return h, body
	case "dir":
		h.Typeflag = tar.TypeDir
	case "link":
		h.Typeflag, h.Linkname = tar.TypeSymlink, rest
	case "hard":
		h.Typeflag, h.Linkname = tar.TypeLink, rest
	case "gone":
		dir, name := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
		h.Name = dir + ".wh." + name
	case "opaque":
		h.Name = path + "/.wh..wh..opq"
	case "device":
		h.Typeflag = tar.TypeChar
		_, err := fmt.Sscan(rest, &h.Devmajor, &h.Devminor)
		must(err)
	case "xattr":
		key, value, _ := strings.Cut(rest, " ")
		h.Typeflag, h.PAXRecords = tar.TypeDir, map[string]string{"SCHILY.xattr." + key: value}
	case "global":
		key, value, _ := strings.Cut(rest, " ")
		return tar.Header{Name: path, Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{key: value}}, nil
	default:
		must(fmt.Errorf("unknown entry of a layer: %q", line))
	}
	return h, nil
}

// pack compresses a tar in the format packing (see ImageSpec.Packing), and returns its media type.
func pack(plain []byte, packing string, kind types.MediaType) ([]byte, types.MediaType) {
	oci := types.MediaType("application/vnd.oci.image.layer.v1.tar")
	switch packing {
	case "":
		return Gzip(plain), kind
	case "none":
		return plain, oci
	case "zstd":
		w, err := zstd.NewWriter(nil)
		must(err)
		return w.EncodeAll(plain, nil), oci + "+zstd"
	case "foreign":
		return Gzip(plain), types.OCIRestrictedLayer
	case "encrypted":
		return noise("encrypted", 0, len(plain)), oci + "+gzip+encrypted"
	}
	must(fmt.Errorf("unknown packing %q", packing))
	return nil, ""
}
