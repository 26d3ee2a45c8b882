// Package launch tells what a command line starts: inits, env, sudo and their like, command lines of shells and short
// start scripts. Of takes the words of a command, Script the text of a shell script.
//
// Nothing is run and no file is opened. What is not certain is said (Started.Why), never guessed.
package launch
