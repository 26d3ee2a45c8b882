// Package flow joins the rooms: one function a flow (build and list, create and check and push, inspect), no flags and no
// printing. An Env holds what the flows share; each flow takes an options struct and returns a value for package print.
package flow
