package bake_test

import (
	"encoding/json"
	"testing"

	"mtool/build/bake"
)

// FuzzRead checks that no file and no override make it panic, and that a plan is printed as JSON.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`target "default" { tags = ["a:b"] }`), "default.tags=x")
	f.Add([]byte(`{"target": {"default": {"inherits": ["x"]}, "x": {"secret": ["id=a,src=b"]}}}`), "*.output=type=local,dest=o")
	f.Add([]byte("group \"default\" { targets = [\"default\"] }\ntarget \"default\" { contexts = { a = \"target:default\" } }"), "")
	f.Add([]byte("target \"a\" {\n  name = \"a-${x}\"\n  matrix = { x = [\"1\", \"2\"] }\n}"), "a.arg.K=V")
	f.Fuzz(func(t *testing.T, data []byte, set string) {
		o := bake.Options{}
		if set != "" {
			o.Set = []string{set}
		}
		plan, err := bake.Read([]bake.File{{Name: "bake", Data: data}}, o)
		if err != nil {
			return
		}
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range plan.Targets {
			_, _ = target.Request() // it must not panic
		}
		if !json.Valid(text) {
			t.Errorf("%q is no JSON", text)
		}
	})
}
