package mutants

// ofRegistry returns the mutants of logins, connections and a registry's answers.
func ofRegistry() []mutant {
	return []mutant{
		{"registry/remote/plain.go", "TestExchanges", `at.User = url.User(hidden)`, `at.Fragment = hidden`},
		{"registry/remote/plain.go", "TestExchanges", `shown[i] = hidden`, `shown[i] = value`},
		{"registry/remote/transport.go", "TestGuardCredentials", `if !SameOrigin(r.URL, first.URL) &&`, `if false &&`},
		{
			"registry/remote/transport.go", "TestRedirectDropsCredentials", `if !SameOrigin(r.URL, via[0].URL) {`,
			`if false {`,
		},
		{
			"registry/remote/transport.go", "TestRedirectDropsCredentials", `strings.EqualFold(withPort(a), withPort(b))`,
			`strings.EqualFold(a.Hostname(), b.Hostname())`,
		},
		{"registry/remote/transport.go", "TestSameOrigin", `return a.Scheme == b.Scheme && `, `return `},
		{
			"registry/remote/transport.go", "TestRedirectDropsCredentials", `[]string{"Accept", `,
			`[]string{"Authorization", "Accept", `,
		},
		{
			"registry/remote/send.go", "TestUploadRedirectDropsCredentials",
			`if g.header != "" && SameOrigin(at, h.url("", "")) {`, `if g.header != "" {`,
		},
		{
			"registry/remote/host.go", "TestUploadRedirectDropsCredentials", `if !SameOrigin(r.URL, h.url("", "")) {`,
			`if false {`,
		},
		{
			"registry/remote/token.go", "TestPasswordNotSentWithoutTLS",
			`if realm.Scheme != "https" && !h.plain.Load() && !auth.Anonymous() {`, `if false {`,
		},
		{
			"registry/remote/token.go", "FuzzToken", `if doc.Token == "" || strings.ContainsAny(doc.Token, "\r\n") {`,
			`if doc.Token == "" {`,
		},
		{"registry/remote/token.go", "TestExpiredToken", `* 0.9 * float64(time.Second)`, `* 1.1 * float64(time.Second)`},
		{
			"registry/remote/auth.go", "TestTokensPerLogin", `if err == nil && other == auth {`,
			`if err == nil || other == auth {`,
		},
		{
			"registry/login/auth.go", "TestDeniedErrors",
			`return fmt.Sprintf("logged in as %q", registry.OneLine(a.Username))`,
			`return fmt.Sprintf("logged in as %q %q", registry.OneLine(a.Username), a.Password)`,
		},
		{"registry/login/loginfile.go", "TestLoginFile", `registry.WriteOptions{}`, `registry.WriteOptions{Mode: 0o644}`},
		{
			"registry/login/authfile.go", "FuzzAuthFile",
			`errors.New("it is not the JSON of docker's config.json or podman's auth.json")`,
			`errors.New("it is not JSON: " + string(body))`,
		},
		{
			"registry/login/authfile.go", "FuzzAuthFile", `it has no readable user name and password", key, f.path)`,
			`it has no readable user name and password", key, raw)`,
		},
		{"registry/remote/trust.go", "TestOldTLS", `MinVersion: tls.VersionTLS12`, `MinVersion: tls.VersionTLS10`},
		{
			"registry/remote/trust.go", "TestSkipVerifyIsPerHost", `skip = skip || matchesHost(t.options.SkipVerify, name)`,
			`skip = skip || name != "" && len(t.options.SkipVerify) > 0`,
		},
		{"registry/remote/trust.go", "TestCertificates", `config.RootCAs = pool`, `config.InsecureSkipVerify = true`},
		{
			"registry/remote/options.go", "TestHostNames", `strings.HasSuffix(h, ".localhost") ||`,
			`strings.HasSuffix(h, "localhost") ||`,
		},

		{"registry/manifest.go", "FuzzManifest", `if got != want {`, `if false {`},
		{"registry/manifest.go", "TestSHA512", `if got != want {`, `if got != want && want.Algorithm == "sha256" {`},
		{
			"registry/remote/manifest.go", "TestManifestErrors", `if d.Size > 0 && int64(len(body)) != d.Size {`,
			`if false {`,
		},
		{"registry/remote/manifest.go", "TestManifestErrors", `if len(body) > maxManifest {`, `if false {`},
		{
			"registry/remote/manifest.go", "TestWrongDigestHeader", `err = m.Verify(stated, "that the registry says")`,
			`m.Digest = stated`,
		},
		{
			"registry/manifest.go", "TestManifestType", `case err == nil && current && named.IsIndex() != sniffed.IsIndex():`,
			`case false:`,
		},
		{
			"registry/remote/manifest.go", "TestTag",
			`if sniffed, err := registry.SniffMediaType(body); err == nil && !m.IsList() {`,
			`if sniffed, err := registry.SniffMediaType(body); err == nil && m.IsList() {`,
		},
		{
			"registry/remote/manifest.go", "TestTag", `q.doing = "looking up"`,
			`q.doing, q.method = "looking up", http.MethodHead`,
		},
		{"registry/remote/blob.go", "TestBlob", `got != b.d.Digest.Hex {`, `false {`},
		{"registry/remote/blob.go", "TestWrongBlobFailsBeforeItsEnd", `return 0, b.failed
		case n > 0`, `return n, b.failed
		case n > 0`},
		{"registry/remote/blob.go", "TestBlob", `case sized && b.off > b.d.Size:`, `case false:`},
		{
			"registry/strictjson.go", "TestNames", `if first, twice := seen[word]; twice {`,
			`if first, twice := seen[word]; false && twice {`,
		},
		{"registry/strictjson.go", "TestNames", `if known && word != name && !s.anyCase {`, `if false {`},
		{"registry/strictjson.go", "TestNames", `if strings.EqualFold(word, name) {`, `if word == name {`},
		{"registry/remote/put.go", "TestConditions", `condition = http.Header{"If-None-Match": {"*"}}`, `condition = nil`},
		{
			"registry/remote/put.go", "TestConditions", `err := r.put(ctx, r.base.WithTag(tag), m, condition)`,
			`err := r.put(ctx, r.base.WithTag(tag), m, http.Header{"X": condition["X"]})`,
		},
		{"registry/remote/put.go", "TestPutManifest", `if stored != m.Digest {`, `if false {`},
		{
			"registry/remote/tags.go", "TestEndlessPages", `case next == "" || next == query:`,
			`case next == "" || next == query || n > maxPages/2:`,
		},
		{
			"registry/remote/idle.go", "TestMinRate", `if float64(came*reading) < float64(a.line.rate)*waited.Seconds() {`,
			`if waited < 0 && came < reading {`,
		},
		{"registry/remote/idle.go", "TestDrip", `if a.waited < a.line.idle {`, `if a.waited < 1000*a.line.idle {`},
		{
			"registry/remote/stall.go", "TestSilentHosts", `} else if !s.broken && time.Since(s.since)+still > limit {`,
			`} else if false {`,
		},
		{"registry/remote/budget.go", "TestSharedWaitBudget", `rest := b.limit - b.spent`, `rest := b.limit`},

		{
			"registry/source/containers.go", "containers-storage.txtar",
			`if program, err := exec.LookPath(e.program); err == nil {`,
			`if program, err := exec.LookPath(e.program); err == nil || program != "" {`,
		},

		{"registry/regular/open.go", "TestReadRegularFilesOnly", `if info.Mode().IsRegular() {`, `if !info.IsDir() {`},
		{
			"registry/regular/open.go", "TestReadInRefusesLinksOut", `f, err := open(root, name)`,
			`f, err := open(machine{}, root.Name()+"/"+name)`,
		},
		{
			"registry/regular/read.go", "TestReadRegularFilesOnly", `if info.Size() > most {`,
			`if most += 100; info.Size() > most {`,
		},
		{"registry/regular/read.go", "TestReadTyped", `if got.err == nil && int64(len(got.data)) > most {`, `if false {`},
		{"registry/regular/read.go", "TestReadRegularFilesOnly", `if err != nil || info.Size() == 0 {`, `if err != nil {`},
		{"registry/regular/read.go", "TestReadTyped", `if !IsHeld(path) {`, `if false {`},
		{
			"registry/regular/stays.go", "TestStaysIn",
			`if info, err := root.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {`, `if false {`,
		},
	}
}
