// Package faults runs mtool's commands against registries that fail: each fault by itself in a matrix of commands and
// faults, or a few at random for hours. Its tests are in cmd/mtool, since their binary is also the mtool that they
// start.
package faults
