//go:build !mips64le

package worker

import "testing"

// TestReproducible checks that only what differs from build to build is removed.
func TestReproducible(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{
			"SLSA 1",
			`{"buildDefinition":{"externalParameters":{"request":{"args":{"startedOn":"kept"}}},
			"internalParameters":{"buildConfig":{"digestMapping":{"sha256:a":"step0"},"llbDefinition":[{"id":"step0"}]}}},
			"runDetails":{"builder":{"id":"ci"},"metadata":{"startedOn":"now","finishedOn":"now","invocationId":"x","reproducible":true,
			"buildkit_metadata":{"layers":{},"source":{"infos":[{"filename":"Dockerfile","digestMapping":{}},{"digestMapping":{}}]}}}}}`,
			`{
  "buildDefinition": {
    "externalParameters": {
      "request": {
        "args": {
          "startedOn": "kept"
        }
      }
    },
    "internalParameters": {
      "buildConfig": {
        "llbDefinition": [
          {
            "id": "step0"
          }
        ]
      }
    }
  },
  "runDetails": {
    "builder": {
      "id": "ci"
    },
    "metadata": {
      "buildkit_metadata": {
        "source": {
          "infos": [
            {
              "filename": "Dockerfile"
            },
            {}
          ]
        }
      },
      "reproducible": true
    }
  }
}`,
		},
		{
			"SLSA 0.2",
			`{"buildType":"t","buildConfig":{"digestMapping":{}},"metadata":{"buildStartedOn":"now","buildFinishedOn":"now",
			"buildInvocationID":"x","reproducible":false,"https://mobyproject.org/buildkit@v1#metadata":{"layers":{},"vcs":{}}}}`,
			`{
  "buildConfig": {},
  "buildType": "t",
  "metadata": {
    "https://mobyproject.org/buildkit@v1#metadata": {
      "vcs": {}
    },
    "reproducible": false
  }
}`,
		},
		{"large numbers", `{"size":12345678901234567890}`, "{\n  \"size\": 12345678901234567890\n}"},
		{"other shapes", `{"metadata":[],"runDetails":"none"}`, "{\n  \"metadata\": [],\n  \"runDetails\": \"none\"\n}"},
	} {
		if got, err := reproducible([]byte(c.in)); err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s", c.name, err, got)
		}
	}
	if _, err := reproducible([]byte("{")); err == nil {
		t.Error("a predicate that is no JSON is taken")
	}
}
