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

// spdx is the part of an SPDX 2.3 document that an SBOM here needs: https://spdx.github.io/spdx-spec/v2.3/.
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
	Version          string         `json:"versionInfo,omitempty"`
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

// programSBOM lists the modules of a program, which the go command wrote into it.
func programSBOM(path string, at time.Time) (spdx, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return spdx{}, err
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return spdx{}, err
	}
	sum, name := fmt.Sprintf("%x", sha256.Sum256(body)), targetOf(info).file()
	doc := spdx{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
		Name:              "mtool-" + strings.TrimPrefix(info.Main.Version, "v") + "-" + name,
		DocumentNamespace: homeOf(info.Main.Path) + "/spdx/" + info.Main.Version + "/" + name + "-" + sum,
		CreationInfo: spdxCreation{
			at.Format(time.RFC3339),
			[]string{"Tool: mtool-release", "Organization: The mtool authors"},
		},
	}
	url := golangURL(info.Main.Path, info.Main.Version)
	id := doc.add("SPDXRef-DOCUMENT", "DESCRIBES", "mtool", info.Main.Version, url)
	program := &doc.Packages[0]
	program.LicenseDeclared, program.Checksums = "Apache-2.0", []spdxChecksum{{"SHA256", sum}}
	version := strings.TrimPrefix(info.GoVersion, "go")
	doc.add(id, "DEPENDS_ON", "stdlib", version, golangURL("stdlib", version))
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		doc.add(id, "DEPENDS_ON", d.Path, d.Version, golangURL(d.Path, d.Version))
	}
	return doc, nil
}

// golangURL returns a module's package URL: https://github.com/package-url/purl-spec.
func golangURL(path, version string) string {
	return "pkg:golang/" + strings.ToLower(path) + "@" + version
}

// add adds a package and its relation to another one, and returns its identifier.
func (d *spdx) add(from, relation, name, version, url string) string {
	id := fmt.Sprintf("SPDXRef-Package-%d", len(d.Packages))
	d.Packages = append(d.Packages, spdxPackage{
		SPDXID: id, Name: name, Version: version, DownloadLocation: "NOASSERTION",
		LicenseConcluded: "NOASSERTION", LicenseDeclared: "NOASSERTION", CopyrightText: "NOASSERTION",
		ExternalRefs: []spdxRef{{"PACKAGE-MANAGER", "purl", url}},
	})
	d.Relationships = append(d.Relationships, spdxRelationship{from, relation, id})
	return id
}

// writeJSON writes a document.
func writeJSON(w io.Writer, doc any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(doc)
}
