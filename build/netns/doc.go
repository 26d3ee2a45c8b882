// Package netns gives a step a network of its own. New makes a network namespace whose only way out is a TCP/IP stack
// in this process, which opens a connection of the process's for each one of the step's. It needs no helper program,
// no device file and no privilege beyond a user namespace. Neither other machines nor this one can connect to a step,
// and ping reaches nothing but the gateway.
package netns
