package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// spdx is as much of an SPDX 2.3 document as a program's modules need: https://spdx.github.io/spdx-spec/v2.3/.
type spdx struct {
	SPDXVersion       string             `json:"spdxVersion"`
	DataLicense       string             `json:"dataLicense"`
	SPDXID            string             `json:"SPDXID"`
	Name              string             `json:"name"`
	DocumentNamespace string             `json:"documentNamespace"`
	CreationInfo      spdxCreation       `json:"creationInfo"`
	Packages          []spdxPackage      `json:"packages"`
	Relationships     []spdxRelationship `json:"relationships"`
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	SPDXID           string         `json:"SPDXID"`
	Name             string         `json:"name"`
	Version          string         `json:"versionInfo"`
	DownloadLocation string         `json:"downloadLocation"`
	FilesAnalyzed    bool           `json:"filesAnalyzed"`
	LicenseConcluded string         `json:"licenseConcluded"`
	LicenseDeclared  string         `json:"licenseDeclared"`
	CopyrightText    string         `json:"copyrightText"`
	Checksums        []spdxChecksum `json:"checksums,omitempty"`
	ExternalRefs     []spdxRef      `json:"externalRefs"`
}

type spdxChecksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type spdxRef struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxRelationship struct {
	Element string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	Related string `json:"relatedSpdxElement"`
}

// writeSBOM lists what a program is made of, as the go command wrote it into the program.
func (r *release) writeSBOM(w io.Writer, m made) error {
	info, err := buildinfo.ReadFile(m.Binary)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(m.Binary)
	if err != nil {
		return err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(body))
	doc := spdx{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
		Name:              "mtool-" + r.number + "-" + m.file(),
		DocumentNamespace: r.home + "/spdx/" + r.version + "/" + m.file() + "-" + sum,
		CreationInfo: spdxCreation{
			r.at.Format(time.RFC3339),
			[]string{"Tool: mtool-release", "Organization: The mtool authors"},
		},
	}
	doc.add("SPDXRef-DOCUMENT", "DESCRIBES", "mtool", info.Main.Path, r.version)
	program := &doc.Packages[0]
	program.LicenseDeclared, program.Checksums = "Apache-2.0", []spdxChecksum{{"SHA256", sum}}
	id := program.SPDXID
	doc.add(id, "DEPENDS_ON", "stdlib", "stdlib", strings.TrimPrefix(info.GoVersion, "go"))
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		doc.add(id, "DEPENDS_ON", d.Path, d.Path, d.Version)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(doc)
}

// add adds a package, and how another one is related to it.
func (d *spdx) add(from, relation, name, path, version string) {
	id := fmt.Sprintf("SPDXRef-Package-%d", len(d.Packages))
	d.Packages = append(d.Packages, spdxPackage{
		SPDXID: id, Name: name, Version: version, DownloadLocation: "NOASSERTION",
		LicenseConcluded: "NOASSERTION", LicenseDeclared: "NOASSERTION", CopyrightText: "NOASSERTION",
		ExternalRefs: []spdxRef{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + strings.ToLower(path) + "@" + version}},
	})
	d.Relationships = append(d.Relationships, spdxRelationship{from, relation, id})
}
