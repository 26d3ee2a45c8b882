package cli

import (
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// requireStated makes empty arguments and empty values of flags errors, for cmd and all commands below it: "--require
// $X" with an X that is not set would pass otherwise without having looked at anything. mayBeEmpty exempts a flag.
func requireStated(cmd *cobra.Command) {
	cmd.Flags().VisitAll(requireValue)
	cmd.PersistentFlags().VisitAll(requireValue)
	if cmd.Runnable() {
		cmd.Args = statedArgs(cmd.Args)
	}
	for _, c := range cmd.Commands() {
		requireStated(c)
	}
}

func statedArgs(next cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for i, arg := range args {
			if err := stated(fmt.Sprintf("argument %d", i+1), arg); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		return next(cmd, args)
	}
}

// reasonKey is the annotation of a flag that may be empty.
const reasonKey = "mtool-may-be-empty"

// mayBeEmpty exempts a flag whose empty value means something; the reason says what.
func mayBeEmpty(fl *pflag.FlagSet, flag, reason string) {
	f := fl.Lookup(flag)
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[reasonKey] = []string{reason}
}

// requireValue makes the flag refuse a value that is empty. Flags of yes and no have none, and refuse that by
// themselves.
func requireValue(f *pflag.Flag) {
	_, done := f.Value.(*statedValue)
	if done || f.Value.Type() == "bool" || f.Annotations[reasonKey] != nil {
		return
	}
	f.Value = &statedValue{Value: f.Value, name: "--" + f.Name}
	if f.DefValue == "[]" || f.DefValue == "0s" {
		f.DefValue = "" // help knows the types of pflag only, and would print it
	}
}

// statedValue is a flag's value that is neither empty nor has an empty item.
type statedValue struct {
	pflag.Value
	name string
}

func (v *statedValue) Set(text string) error {
	if err := stated(v.name, text); err != nil {
		return err
	}
	if v.Type() == "stringSlice" {
		if err := statedItems(v.name, text); err != nil {
			return err
		}
	}
	return v.Value.Set(text)
}

func stated(name, text string) error {
	if strings.TrimSpace(text) == "" {
		return usagef("", "%s is empty (an unset variable?)", name)
	}
	return nil
}

// statedItems looks at a comma list. What stands in a second line would be left out.
func statedItems(name, text string) error {
	if strings.ContainsAny(strings.TrimSpace(text), "\r\n") {
		return usagef(name+" A,B", "%s has several lines: separate the values with commas", name)
	}
	items, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return usagef("", "%s %q: %v", name, text, err)
	}
	for i, item := range items {
		if err := stated(fmt.Sprintf("%s %q: item %d", name, text, i+1), item); err != nil {
			return err
		}
	}
	return nil
}
