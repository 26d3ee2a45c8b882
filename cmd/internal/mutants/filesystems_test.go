package mutants

// ofFileSystems returns the mutants of layers, merged file systems and what an image starts.
func ofFileSystems() []mutant {
	return []mutant{
		{
			"inspect/rootfs/special.go", "TestAmbiguous", `case ok && storageAttribute(attribute):`,
			`case ok && attribute == "":`,
		},
		{
			"inspect/rootfs/special.go", "TestAmbiguous", `case h.Typeflag == tar.TypeXGlobalHeader && !irrelevant(key):`,
			`case false:`,
		},
		{
			"inspect/rootfs/special.go", "TestAmbiguous",
			`if h.Typeflag == tar.TypeChar && h.Devmajor == 0 && h.Devminor == 0 {`, `if false {`,
		},
		{
			"inspect/rootfs/special.go", "TestAmbiguous",
			`if strings.HasPrefix(dir, whiteout) && !strings.HasPrefix(dir, metadata) {`, `if dir == "" {`,
		},
		{
			"inspect/rootfs/special.go", "TestAmbiguous",
			`if h.Typeflag == tar.TypeXGlobalHeader && strings.HasPrefix(base(name), whiteout) {`, `if false {`,
		},
		{
			"inspect/rootfs/special.go", "TestUnambiguous",
			`return slices.Contains([]string{"impure", "nlink", "origin", "uuid"}, name)`,
			`return slices.Contains([]string{"impure"}, name)`,
		},
		{
			"inspect/rootfs/view.go", "TestReadings", `in.opaque, in.replaced = in.opaque || in != v.root, in.replaced || in == v.root`,
			`in.opaque = true`,
		},
		{
			"inspect/rootfs/view.go", "TestAmbiguous",
			`return ambiguous(join(w.path(), gone), "its whiteout comes after the layer's own entry")`, `return nil`,
		},
		{
			"inspect/rootfs/view.go", "TestAmbiguous", `return ambiguous(w.path(), "its opaque marker comes through a link")`,
			`return nil`,
		},
		{"inspect/rootfs/view.go", "TestReadings", `n.replaced = n.dir`, `n.replaced = false`},
		{"inspect/rootfs/view.go", "TestLimits", `if n.dir && len(w.names) >= v.limits.Depth {`, `if false {`},
		{"inspect/rootfs/view.go", "TestLongLinkChains", `v.followed > maxFollowed {`, `v.followed > 1000*maxFollowed {`},
		{"inspect/rootfs/merge.go", "TestReadings", `if err != nil || !tree.differs {`, `if true {`},
		{
			"inspect/rootfs/merge.go", "TestAmbiguous",
			`return ambiguous(path, "only some runtimes apply this entry, and a lower layer has something else there")`,
			`return nil`,
		},
		{
			"inspect/rootfs/merge.go", "TestAmbiguous",
			`case !w.current().isLink() && w.current().executable() != files[i].Runnable():`, `case false:`,
		},
		{"inspect/rootfs/overlay.go", "TestMerge", `delete(dir.children, base(w))`, `_ = w`},
		{
			"inspect/rootfs/overlay.go", "TestMerge", `if dir := l.at(f.Path); f.Opaque && dir != nil {`,
			`if dir := l.at(f.Path); false && dir != nil {`,
		},
		{"inspect/rootfs/overlay.go", "TestReadings", `l.differs = l.differs || lower.isLink()`, `_ = lower`},
		{"inspect/rootfs/inplace.go", "TestReadings", `if f.Implied && child != nil && child.isLink() {`, `if false {`},

		{
			"inspect/rootfs/stream.go", "TestBombs", `case s.limits.exceedsRatio(s.n, s.raw), s.limits.exceedsRatio(`,
			`case false, s.limits.exceedsRatio(`,
		},
		{
			"inspect/rootfs/stream.go", "TestBombs",
			`case s.limits.exceedsRatio(s.n, s.raw), s.limits.exceedsRatio(s.total.unpacked.Load(), s.total.packed.Load()):`,
			`case s.limits.exceedsRatio(s.n, s.raw):`,
		},
		{"inspect/rootfs/stream.go", "TestTimeLimit", `case time.Since(s.started) > s.limits.Time:`, `case false:`},
		{"inspect/rootfs/stream.go", "TestLimits", `case s.n > s.limits.Unpacked:`, `case false:`},
		{
			"inspect/rootfs/scan.go", "TestLimits", `if s.headers++; s.headers > s.options.Limits.Headers {`,
			`if s.headers++; false {`,
		},
		{"inspect/rootfs/scan.go", "TestLimits", `long > limit {`, `long > 1000*limit {`},
		{
			"inspect/rootfs/scan.go", "TestScanDiffID", `if l.DiffID != (v1.Hash{}) && l.DiffID != facts.DiffID &&`,
			`if false &&`,
		},
		{"inspect/rootfs/scan.go", "TestScanMediaTypes", `case strings.HasSuffix(t, "+encrypted"):`, `case false:`},

		{"inspect/rootfs/node.go", "TestExtractLimits", ` + len(f.Text) + `, ` + `},
		{"inspect/rootfs/tablelocation.go", "TestSeveralTables", `if other.off != p.off || other.n != p.n || `, `if `},
		{
			"inspect/rootfs/tablelocation.go", "TestSeveralTables",
			`!agreeOn(&p.packed, other.packed) || !agreeOn(&p.text, other.text) {`, `false {`,
		},
		{
			"inspect/rootfs/tablelocation.go", "TestWrongTables",
			`return cmp.Or(sameDigest(packedSum, p.packed), sameDigest(textSum, p.text))`, `return nil`,
		},
		{"inspect/rootfs/tablelocation.go", "TestTableLimits", `if p.n > maxTable {`, `if false {`},
		{
			"inspect/rootfs/tablecompare.go", "TestTablesOfOtherLayers",
			`row.kind == tar.TypeReg && (row.size != h.Size || row.runnable != (h.Mode&0o111 != 0)):`, `false:`,
		},
		{
			"inspect/rootfs/tablecompare.go", "TestTablesOfOtherLayers",
			`!p.zeros || !piece.zeros && !bytes.Equal(p.hash.Sum(nil), piece.digest[:]) {`, `!p.zeros {`,
		},
		{"inspect/rootfs/tablecompare.go", "TestTablesOfOtherLayers", `if !row.found {`, `if !row.found && name == "" {`},
		{
			"inspect/rootfs/tableparts.go", "TestTablesOfOtherLayers", `if !r.current.zeros && !bytes.Equal(`,
			`if r.current.zeros && !bytes.Equal(`,
		},

		{
			"inspect/rootfs/prefetch.go", "TestScanAllAtOnce", `if a := f.arrivals[n]; a != nil {`,
			`if a := f.arrivals[n]; false && a != nil {`,
		},
		{
			"inspect/rootfs/prefetch.go", "TestScanAllPrefetchIsLimited", `semaphore.NewWeighted(fetchedBytes)`,
			`semaphore.NewWeighted(fetchedBytes << 10)`,
		},

		{
			"inspect/rootfs/command.go", "TestCommandAround", `for _, extra := range c.Extra {`,
			`for _, extra := range c.Extra[:0] {`,
		},
		{"inspect/rootfs/command.go", "TestCommandAround", `if c.Unknown != "" {`, `if false {`},
		{
			"inspect/launch/launch.go", "TestOf", `if words = words[l.arguments:]; strings.HasPrefix(words[0], "-") {`,
			`if strings.HasPrefix(words[0], "-") {`,
		},
		{"inspect/launch/launch.go", "TestOf", `case isInterpreter(name) && len(argv) > 1:`, `case false:`},
		{
			"inspect/launch/shell.go", "TestScript", `s.nothingHidden(hidden) && (!exec || p.inside)`,
			`s.nothingHidden(hidden) && !exec`,
		},
		{"inspect/launch/shell.go", "TestScript", `if len(text) > maxScript {`, `if false {`},
		{"inspect/deep/loaderless.go", "TestLoaderless", `if missing == "" || !runs(verdict) {`, `if true {`},
	}
}
