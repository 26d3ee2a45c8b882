package print

import _ "embed" // for InspectSchema

// InspectSchema is the JSON schema (draft 2020-12) of what inspect prints with -o json.
//
//go:embed inspect.schema.json
var InspectSchema []byte
