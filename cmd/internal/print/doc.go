// Package print shows what package app returns: every byte that mtool writes to standard output comes from here. It
// makes no decisions: the findings say what is wrong.
package print
