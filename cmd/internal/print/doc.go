// Package print shows what the flows return: every byte that mtool writes to standard output comes from here. It takes no
// decisions: what is wrong was decided before.
package print
