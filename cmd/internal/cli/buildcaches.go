package cli

import "strings"

// checkCaches refuses caches that no worker could read or write, before one is started. flag is --cache-from or --cache-to.
func checkCaches(flag string, values []string) error {
	place := map[string]string{"--cache-from": "src", "--cache-to": "dest"}[flag]
	for _, v := range values {
		if !strings.Contains(v, "=") { // a reference alone
			continue
		}
		pairs, err := parseFields(flag, v)
		if err != nil {
			return err
		}
		if err := oneOf(flag+" type", pairs["type"], "registry", "local", "inline", "gha", "s3", "azblob"); err != nil {
			return err
		}
		if key := map[string]string{"local": place, "registry": "ref"}[pairs["type"]]; key != "" && pairs[key] == "" {
			return usagef(flag+" type="+pairs["type"]+","+key+"=…", "%s %q names no %s", flag, v, key)
		}
	}
	return nil
}
