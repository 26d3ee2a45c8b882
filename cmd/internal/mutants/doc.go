// Package mutants holds one-line changes of the program that each remove a defence, with the test that must then fail.
//
// A test that no change makes fail proves nothing. So every row of .github/SECURITY.md has a mutant that one of its
// tests kills. `make test` checks this without running the mutants; `make long` runs them all (TestMutants).
//
// The package has only test code.
package mutants
