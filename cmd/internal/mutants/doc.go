// Package mutants holds one-line changes of the program, each of which takes a defence away, and the test that must
// fail with it.
//
// A test that no change makes fail shows nothing. So every row of .github/SECURITY.md has a mutant that one of its
// tests kills, which `make test` checks without running any; `make long` makes them all (TestMutants).
//
// There is no code here but that of the tests.
package mutants
