// Package provenance reads the in-toto statements that BuildKit attaches to an image, its provenance (SLSA 0.2 and 1)
// and SBOMs, and compares provenance with the image that it is attached to.
//
// Read fetches the statements of the wanted kinds, Judge makes findings of them.
//
// It verifies no signatures: anyone who can write to the repository can attach a statement.
package provenance
