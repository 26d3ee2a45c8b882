package device_test

import (
	"testing"

	"mtool/build/device"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, d := range []device.Device{
		{Major: 1, Minor: 3},
		{Block: true, Major: 8},
		{Block: true},
		{Major: 4095, Minor: 1048575},
	} {
		if got, ok := device.Parse(d.String()); !ok || got != d {
			t.Errorf("Parse(%q) is %v, %t", d, got, ok)
		}
	}
	for _, s := range []string{
		"", "c", "c 1", "c 1:", "c 1:3 ", " c 1:3", "c 01:3", "c +1:3", "c -1:3", "d 1:3",
		"c 4294967296:0", "c 0:0", "c 1:3\n",
	} {
		if d, ok := device.Parse(s); ok {
			t.Errorf("Parse(%q) is %v", s, d)
		}
	}
}
