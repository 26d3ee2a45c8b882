package platform_test

import (
	"errors"
	"fmt"

	"mtool/inspect/platform"
)

func ExampleParseList() {
	all, err := platform.ParseList([]string{"linux/x86_64,linux/arm64/v8", "linux/arm"})
	for _, p := range all {
		fmt.Println(platform.Format(p))
	}
	fmt.Println(err)
	// Output:
	// linux/amd64
	// linux/arm64
	// linux/arm/v7
	// <nil>
}

func ExampleParse_invalid() {
	_, err := platform.Parse("linux/amd64/v8")
	fmt.Println(err, errors.Is(err, platform.ErrInvalid))
	// Output:
	// invalid platform "linux/amd64/v8": unknown amd64 variant "v8"; valid: v1, v2, v3, v4 true
}
