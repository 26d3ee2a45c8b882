// Package launch finds out what a command line starts through inits, env, sudo and similar programs, shell command
// lines and short start scripts. Of takes the words of a command, Script the text of a shell script.
//
// It runs nothing and opens no file. It does not guess: Started.Why says what is not certain.
package launch
