package mutants

// ofContent returns the mutants of the store, archives, mtool serve and publishing.
func ofContent() []mutant {
	return []mutant{
		{
			"compose/publish/guard.go", "optional.txtar", `plan.DroppedOptional(old); err != nil || len(dropped) == 0`,
			`plan.DroppedOptional(old); err == nil || len(dropped) == 0`,
		},
		{"registry/store/verify.go", "TestWrongDigestInArchive", `got != v.want.Digest.Hex {`, `false {`},
		{
			"registry/store/verify.go", "TestVerify", `return 0, v.mismatch("its digest is`,
			`return n, v.mismatch("its digest is`,
		},
		{
			"registry/store/reader.go", "registry/store.TestUnknownVersion", `if layout.Version != layoutVersion {`,
			`if false {`,
		},
		{"registry/pending.go", "registry/store.TestFullDisk", `errors.Join(err, RemoveFile(f.Name()))`, `err`},
		{"registry/store/lock.go", "TestConcurrentProcesses", `if shared {
		try =`, `if true {
		try =`},
		{
			"registry/store/collect.go", "TestCollectStopsAtDamage",
			`if err := l.reach(ctx, row.Descriptor, live); err != nil {`,
			`if err := l.reach(ctx, row.Descriptor, live); false {`,
		},

		{"registry/archive/tarfs.go", "registry/archive.TestLinksStayInArchive", `const maxLinks = 8
	at, ok := t.sections[name]`, `const maxLinks = 8
	at, ok := t.sections[name]
	if f, err := os.Open("/" + at.link); at.link != "" && err == nil {
		return f, nil
	}`},
		{
			"registry/archive/tarfs.go", "registry/archive.TestAmbiguousArchives", `twice && !t.same(first, at) {`,
			`twice && first.size < 0 {`,
		},
		{
			"registry/archive/tarfs.go", "registry/archive.TestAmbiguousArchives",
			`if a.link != b.link || a.odd || b.odd || a.size != b.size {`, `if a.link != b.link || a.odd || b.odd {`,
		},
		{"registry/archive/tarfs.go", "registry/archive.TestAmbiguousArchives", `at.odd = isSparse(h)`, `at.odd = false`},
		{
			"registry/archive/tarfs.go", "registry/archive.TestAmbiguousArchives", `ok && (at.odd || at.link != "") {`,
			`ok && at.odd {`,
		},
		{"registry/archive/agree.go", "registry/archive.TestAmbiguousArchives", `if !t.all[config] {`, `if false {`},
		{
			"registry/archive/agree.go", "registry/archive.TestAmbiguousArchives",
			`tag != "" && len(rows[i]) > 0 && !rows[i][config] {`, `false && tag != "" && i > 0 {`,
		},
		{"registry/archive/open.go", "registry/archive.TestAmbiguousArchives", `if docker && index {`, `if false {`},
		{
			"registry/archive/docker.go", "registry/archive.TestDamagedDockerArchives",
			`if len(c.RootFS.DiffIDs) != len(image.Layers) {`, `if len(c.RootFS.DiffIDs) < len(image.Layers) {`,
		},

		{"registry/serve/proven.go", "registry/serve.TestDamagedBlobs", `err = content.prove(digest)`, `err = nil`},
		{"registry/serve/proven.go", "registry/serve.TestDamagedBlobs", `panic(http.ErrAbortHandler)`, `held.release()`},
		{"registry/serve/proven.go", "registry/serve.TestDamagedBlobs", `if len(h.last) > 0 {
		h.release()
	}
	h.last = append(h.last[:0], data...)
	return len(data), h.err`, `h.last = append(h.last[:0], data...)
	h.release()
	return len(data), h.err`},
		{
			"registry/serve/patient.go", "TestSlowClients", `_ = p.control.SetWriteDeadline(time.Now().Add(p.patience))`,
			`_ = p.patience`,
		},
		{
			"registry/serve/patient.go", "TestMissingRequestBody", `_ = control.SetReadDeadline(time.Now().Add(headerTime))`,
			`_ = headerTime`,
		},
		{
			"registry/serve/route.go", "registry/serve.TestHostIsChecked", `case len(s.options.Hosts) > 0 &&`,
			`case len(s.options.Hosts) > 9 &&`,
		},
		{
			"registry/serve/users.go", "registry/serve.TestPassword", `return subtle.ConstantTimeCompare(got[:], want[:]) == 1`,
			`return subtle.ConstantTimeCompare(got[:1], got[:1]) == 1 || want == got`,
		},
		{
			"registry/serve/users.go", "TestParseUsers",
			`if bcrypt.CompareHashAndPassword([]byte(secret), []byte(password)) != nil {`,
			`if bcrypt.CompareHashAndPassword([]byte(secret), []byte(password)) == nil && name == "" {`,
		},
		{
			"registry/serve/route.go", "TestWebPagesCannotPush", `case http.NewCrossOriginProtection().Check(r) != nil:`,
			`case http.NewCrossOriginProtection() == nil:`,
		},
		{
			"registry/serve/patient.go", "TestStalledUpload",
			`_ = a.control.SetReadDeadline(time.Now().Add(a.patience))`, `_ = a.control.SetReadDeadline(time.Time{})`,
		},
		{"registry/serve/push.go", "TestPushStatus", `case size != d.Size:`, `case size < 0:`},
		{"registry/serve/upload.go", "TestPushStatus", `if got != h {`, `if got == h && err != nil {`},
		{
			"registry/serve/upload.go", "TestUploadEndsOnce", `if _, ok := s.uploads.find(key, id); !ok { // the request`,
			`if _, ok := s.uploads.find(key, id); !ok && key == "" { // the request`,
		},
		{
			"registry/serve/upload.go", "TestFailedUploadsAreRemoved", `err = errors.Join(err, s.uploads.drop(up)); err != nil {`,
			`err != nil {`,
		},
		{"registry/store/stage.go", "TestStages", `if ok {
			err = errors.Join(err, os.RemoveAll(dir))`, `if ok || !ok {
			err = errors.Join(err, os.RemoveAll(dir))`},

		{"compose/publish/tags.go", "TestPublishConditions", `if !ok || w.options.Force ||`, `if !ok || ok ||`},
		{
			"compose/publish/tags.go", "TestPublishGuardsTheBase", `if err := w.guardBase(ctx, t); err != nil {`,
			`if err := w.guardBase(ctx, t); false {`,
		},
		{
			"compose/publish/tags.go", "TestPublishNeverReplacesList", `if d := existing[t.Name]; d.MediaType.IsIndex() {`,
			`if d := existing[t.Name]; false && d.Size > 0 {`,
		},
		{
			"compose/publish/upload.go", "TestPublishFails", `if err := w.content(ctx); err != nil {`,
			`if err := w.content(ctx); false {`,
		},
		{"compose/publish/tags.go", "TestPublishConfirms", `case now.Digest != w.Root.Digest:`, `case false:`},
		{
			"compose/publish/content.go", "TestPublishConfirms", `_, err := source.Manifest(ctx, d); return err`,
			`_, _ = source.Manifest(ctx, d); return nil`,
		},
	}
}
