// Package manual lays out pages of the manual: of a command or of a help topic. The same [Page] becomes lines on a
// screen ([Page.Screen]), a man page ([Page.Roff]) and a chapter in Markdown ([Page.Markdown]). It knows neither
// commands nor flags: package cli fills in the pages.
package manual
