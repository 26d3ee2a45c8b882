package worker

import (
	"archive/tar"
	"errors"
	"testing"

	"mtool/build/device"
)

// A device in a layer becomes a file with an attribute that describes it. Such an attribute in the layer is removed.
func TestStandIn(t *testing.T) {
	t.Parallel()
	const attribute = "SCHILY.xattr." + device.Attribute
	for name, c := range map[string]struct {
		in    tar.Header
		kind  byte
		value string
	}{
		"a character device": {tar.Header{Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}, tar.TypeReg, "c 1:3"},
		"a block device":     {tar.Header{Typeflag: tar.TypeBlock, Size: 5}, tar.TypeReg, "b 0:0"},
		"a pipe":             {tar.Header{Typeflag: tar.TypeFifo, Devmajor: 1, Devminor: 3}, tar.TypeFifo, ""},
		"a file with a forged attribute": {
			tar.Header{Typeflag: tar.TypeReg, PAXRecords: map[string]string{attribute: "c 1:3"}},
			tar.TypeReg, "",
		},
		"a device with a forged attribute": {tar.Header{
			Typeflag: tar.TypeChar, Devmajor: 1,
			PAXRecords: map[string]string{attribute: "c 1:3"},
		}, tar.TypeReg, "c 1:0"},
	} {
		h := c.in
		ok, err := unpacker{}.standIn(&h)
		if err != nil || !ok || h.Typeflag != c.kind || h.PAXRecords[attribute] != c.value || c.value != "" && h.Size != 0 {
			t.Errorf("%s: %v, %v, %+v", name, ok, err, h)
		}
	}
	for name, h := range map[string]tar.Header{
		"a whiteout":        {Name: "gone", Typeflag: tar.TypeChar},
		"a large number":    {Name: "large", Typeflag: tar.TypeBlock, Devmajor: 1 << 32},
		"a negative number": {Name: "none", Typeflag: tar.TypeBlock, Devmajor: -1},
	} {
		if _, err := (unpacker{}).standIn(&h); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	none := errors.New("no attributes")
	if _, err := (unpacker{forgets: none}).standIn(&tar.Header{
		Name: "d", Typeflag: tar.TypeChar,
		Devmajor: 1,
	}); !errors.Is(err, none) {
		t.Errorf("without attributes: %v", err)
	}
	if ok, err := (unpacker{forgets: none}).standIn(&tar.Header{Name: "f", Typeflag: tar.TypeReg}); !ok || err != nil {
		t.Errorf("a file without attributes: %v", err)
	}
}
