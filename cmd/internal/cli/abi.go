package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mtool/inspect/binary"
	"mtool/inspect/platform"
)

// abis are the values of --abi: what programs must be, by architecture.
type abis map[string]string

func (a *abis) Set(text string) error {
	name, want, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("%q is not ARCH=ABI, such as loong64=new", text)
	}
	p, err := platform.ParseArch(name)
	if err != nil {
		return err
	}
	if known := binary.ABIs(p.Architecture); !slices.Contains(known, want) {
		return fmt.Errorf("%q is not an ABI of %s, which has %s", want, p.Architecture, strings.Join(known, ", "))
	}
	if have := (*a)[p.Architecture]; have != "" && have != want {
		return fmt.Errorf("%s can't be both %s and %s", p.Architecture, have, want)
	}
	if *a == nil {
		*a = abis{}
	}
	(*a)[p.Architecture] = want
	return nil
}

func (a *abis) Type() string { return listValue }

func (a *abis) String() string {
	var words []string
	for _, arch := range slices.Sorted(maps.Keys(*a)) {
		words = append(words, arch+"="+(*a)[arch])
	}
	return strings.Join(words, ",")
}

// pageSize is the value of --page-size, in bytes.
type pageSize int64

func (p *pageSize) Set(text string) error {
	sizes := map[string]pageSize{"4k": 4 << 10, "16k": 16 << 10, "64k": 64 << 10}
	size, ok := sizes[strings.ToLower(text)]
	if !ok {
		return fmt.Errorf("%q is none of 4k, 16k and 64k", text)
	}
	*p = size
	return nil
}

func (p *pageSize) Type() string { return "SIZE" }

func (p *pageSize) String() string {
	if *p == 0 {
		return ""
	}
	return fmt.Sprintf("%dk", *p>>10)
}
