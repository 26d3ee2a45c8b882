package compose

import (
	"bytes"
	"encoding/json"
	"testing"
)

func FuzzObject(f *testing.F) {
	for _, s := range []string{
		`{}`, ` { "a" : 1.0 , "b\u002d":[ { } ],"a":"<é>"}`, `{"a":{"b":null}}`, `[]`, `{"a":1}x`,
		`{"a"}`, `{,}`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := parseObject(raw)
		if !json.Valid(raw) {
			return // parseObject ignores data after the object; see NewEntry
		}
		if isObject := bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")); isObject != (err == nil) {
			t.Fatalf("parseObject(%q): %v", raw, err)
		}
		if err == nil && !isCompactOf(o.encode(), raw) {
			t.Errorf("parseObject(%q).encode() = %q", raw, o.encode())
		}
	})
}

func TestObjectEdits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
		edit           func(object) (object, error)
	}{
		{"set in place", `{"a":1,"b":2}`, `{"a":"x","b":2}`, func(o object) (object, error) { return o.set("a", "x") }},
		{"set a new one", `{"a":1}`, `{"a":1,"<":">"}`, func(o object) (object, error) { return o.set("<", ">") }},
		{
			"set the last of two", `{"a":1,"a":2}`, `{"a":1,"a":3}`,
			func(o object) (object, error) { return o.set("a", 3) },
		},
		{"remove", `{"a":1,"b":2,"a":3}`, `{"b":2}`, func(o object) (object, error) { return o.remove("a"), nil }},
		{
			"strings, unchanged", `{"m":{"z":"1","a":"\u0032"}}`, `{"m":{"z":"1","a":"\u0032"}}`,
			func(o object) (object, error) {
				return o.setStrings("m", map[string]string{"a": "2", "z": "1"})
			},
		},
		{
			"strings, one differs", `{"m":{"z":"1","a":"\u0032"}}`, `{"m":{"z":"3","a":"\u0032","b":"4"}}`,
			func(o object) (object, error) {
				return o.setStrings("m", map[string]string{"a": "2", "z": "3", "b": "4"})
			},
		},
		{
			"strings, all removed", `{"m":{"z":"1"},"x":1}`, `{"x":1}`,
			func(o object) (object, error) { return o.setStrings("m", nil) },
		},
		{"strings, null", `{"m":null}`, `{"m":{"k":"v"}}`, func(o object) (object, error) {
			return o.setStrings("m", map[string]string{"k": "v"})
		}},
		{
			"strings, empty before and after", `{"m":{}}`, `{"m":{}}`,
			func(o object) (object, error) { return o.setStrings("m", nil) },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, err := parseObject([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			before := string(o.encode())
			out, err := tt.edit(o)
			if err != nil || string(out.encode()) != tt.want {
				t.Errorf("got %s, %v, want %s", out.encode(), err, tt.want)
			}
			if string(o.encode()) != before {
				t.Error("the edit changed its receiver")
			}
		})
	}
	o, err := parseObject([]byte(`{"m":[1]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.setStrings("m", map[string]string{"k": "v"}); err == nil {
		t.Error("setStrings took an array for an object")
	}
}
